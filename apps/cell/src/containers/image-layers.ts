import type {
  CachedDependency,
  DesiredLRP,
  DownloadAction,
  ImageLayer,
  TaskDefinition,
} from '#rivera/models';
import { RiveraError } from '#rivera/models';

export type Definition = DesiredLRP | TaskDefinition;

/** What the layers of a definition come to. */
export interface Layers {
  /** For the garden: without the layer of a `preloaded+layer:` URL. */
  rootfs: string;
  /** Mounted, the same for all. */
  cachedDependencies: CachedDependency[];
  /** Unpacked into the container before its setup, all at once. */
  downloads: DownloadAction[];
}

const LAYER_SCHEME = 'preloaded+layer:';

/**
 * Image layers in the terms of older fields (Diego BBS, image layers): a SHARED one is a cached dependency, an EXCLUSIVE
 * one a download as `legacyDownloadUser`. The layer of a `preloaded+layer:<stack>?layer=…&layer_path=…&layer_digest=…`
 * root filesystem is a download as root.
 */
export function layersOf(definition: Definition): Layers {
  const { rootfs, cachedDependencies = [], imageLayers = [], legacyDownloadUser = 'root' } = definition;
  const shared = imageLayers.filter(({ layerType }) => layerType === 'SHARED');
  const exclusive = imageLayers.filter(({ layerType }) => layerType === 'EXCLUSIVE');
  const own = layerOfRootfs(rootfs);
  return {
    rootfs: own?.rootfs ?? rootfs,
    cachedDependencies: [...shared.map(asDependency), ...cachedDependencies],
    downloads: [
      ...(own === undefined ? [] : [own.download]),
      ...exclusive.map((layer) => asDownload(layer, legacyDownloadUser)),
    ],
  };
}

function layerOfRootfs(rootfs: string): { rootfs: string; download: DownloadAction } | undefined {
  if (!rootfs.startsWith(LAYER_SCHEME)) return undefined;
  const [stack = '', query = ''] = rootfs.slice(LAYER_SCHEME.length).split('?', 2);
  const parameters = new URLSearchParams(query);
  const [from, to] = [parameters.get('layer'), parameters.get('layer_path')];
  if (from === null || to === null) {
    throw new RiveraError('invalid-request', `The root filesystem ${rootfs} lacks layer or layer_path.`);
  }
  const digest = parameters.get('layer_digest')?.replace(/^sha256:/, '');
  return {
    rootfs: `preloaded:${stack}`,
    download: {
      from,
      to,
      user: 'root',
      ...(digest ? { checksumAlgorithm: 'sha256', checksumValue: digest, cacheKey: `sha256:${digest}` } : {}),
    },
  };
}

function asDependency(layer: ImageLayer): CachedDependency {
  const { name, url, destinationPath } = layer;
  return {
    ...(name === undefined ? {} : { name }),
    from: url,
    to: destinationPath,
    cacheKey: cacheKeyOf(layer),
    ...checksumOf(layer),
  };
}

function asDownload(layer: ImageLayer, user: string): DownloadAction {
  const { name, url, destinationPath } = layer;
  return {
    ...(name === undefined ? {} : { artifact: name }),
    from: url,
    to: destinationPath,
    cacheKey: cacheKeyOf(layer),
    user,
    ...checksumOf(layer),
  };
}

/** By its content where that is known, so that one layer under two URLs is kept once. */
function cacheKeyOf({ url, digestAlgorithm, digestValue }: ImageLayer): string {
  return digestValue === undefined ? url : `${digestAlgorithm?.toLowerCase()}:${digestValue}`;
}

function checksumOf({ digestAlgorithm, digestValue }: ImageLayer): {
  checksumAlgorithm?: string;
  checksumValue?: string;
} {
  if (digestAlgorithm === undefined || digestValue === undefined) return {};
  return { checksumAlgorithm: digestAlgorithm.toLowerCase(), checksumValue: digestValue };
}
