import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

const MANIFEST_TYPE = 'application/vnd.docker.distribution.manifest.v2+json';

export interface ImageRegistry {
  /** `127.0.0.1:<port>`, which engines accept without TLS. */
  readonly address: string;
  /** How often a manifest was handed out. */
  readonly pulls: number;
  close(): Promise<void>;
}

/**
 * A registry that has one image, whatever name is asked for: the root filesystem of a tar. It wants the user name and
 * password `user` and `secret`. The layer of repositories that begin with `broken` is not what its digest says.
 */
export async function startImageRegistry(tarPath: string): Promise<ImageRegistry> {
  const tar = await readFile(tarPath);
  const layer = gzipSync(tar, { level: 1 });
  const good = imageOf({ layer, diffId: digestOf(tar) });
  const broken = imageOf({
    layer: Buffer.from('what it should be'),
    diffId: digestOf(Buffer.from('broken')),
  });
  const blobs = new Map([...good.blobs, ...broken.blobs]);
  blobs.set(digestOf(Buffer.from('what it should be')), Buffer.from('what it is'));
  let pulls = 0;

  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const [, kind, reference = ''] = /\/(manifests|blobs)\/([^/]+)$/.exec(request.url ?? '') ?? [];
    response.setHeader('Docker-Distribution-Api-Version', 'registry/2.0');
    if (request.headers.authorization !== `Basic ${Buffer.from('user:secret').toString('base64')}`) {
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="test"' }).end();
    } else if (kind === 'manifests') {
      if (request.method === 'GET') pulls += 1;
      const { manifest } = request.url?.startsWith('/v2/broken') ? broken : good;
      const headers = { 'Content-Type': MANIFEST_TYPE, 'Docker-Content-Digest': digestOf(manifest) };
      response.writeHead(200, { ...headers, 'Content-Length': manifest.length });
      response.end(request.method === 'HEAD' ? undefined : manifest);
    } else if (kind === 'blobs') {
      const blob = blobs.get(reference);
      if (blob) response.writeHead(200).end(blob);
      else response.writeHead(404).end();
    } else {
      response.writeHead(200).end('{}');
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get pulls() {
      return pulls;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function imageOf(options: { layer: Buffer; diffId: string }): {
  manifest: Buffer;
  blobs: [string, Buffer][];
} {
  const { layer, diffId } = options;
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      config: { Env: ['FROM_IMAGE=yes'], Entrypoint: ['/never'] },
      rootfs: { type: 'layers', diff_ids: [diffId] },
    }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: describe(config, 'application/vnd.docker.container.image.v1+json'),
      layers: [describe(layer, 'application/vnd.docker.image.rootfs.diff.tar.gzip')],
    }),
  );
  const blobs: [string, Buffer][] = [config, layer].map((blob) => [digestOf(blob), blob]);
  return { manifest, blobs };
}

function digestOf(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

function describe(content: Buffer, mediaType: string): { mediaType: string; size: number; digest: string } {
  return { mediaType, size: content.length, digest: digestOf(content) };
}
