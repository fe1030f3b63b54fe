import type { BindMount, Container, ContainerInfo, ContainerSpec, ProcessSpec } from '#rivera/garden';
import { type CachedDependency, type PortMapping, RiveraError } from '#rivera/models';
import { requestOf } from '../executor/download-step.js';
import { size } from '../executor/duration.js';
import { variables } from '../executor/environment.js';
import type { CertificateSubject } from '../certificates/certificate-issuer.js';
import type { LogStreamer } from '../executor/log-streamer.js';
import { messageOf } from '../executor/step.js';
import { untilAborted } from '../executor/until-aborted.js';
import { egressOf } from './egress.js';
import { type Definition, layersOf } from './image-layers.js';
import { limitsOf } from './limits.js';
import type { CellServices } from './services.js';

/** A property of containers: entries of the artifact cache they have mounted. */
const CACHE_PROPERTY = 'cachedArtifacts';
/** Where a definition learns of the host's certificates (Diego executor). */
const CERTIFICATES_VARIABLE = 'CF_SYSTEM_CERT_PATH';

export interface ProvisionRequest {
  guid: string;
  definition: Definition;
  logs: LogStreamer;
  /** Before those of the definition, which win. */
  env: string[];
  containerPorts: number[];
  properties: Record<string, string>;
  /** The process the container exists for, told the host ports; absent: processes are added to it. */
  main?: (ports: PortMapping[]) => ProcessSpec;
}

export interface Provided {
  container: Container;
  /** An earlier agent has started it. */
  isAdopted: boolean;
}

/**
 * Makes containers (Diego executor, creation): cached dependencies, certificates, volumes, files, then the garden's
 * container. A failure is the reason to report, word for word, and leaves the container's name free.
 */
export class Provisioner {
  /** Containers that were found on the engine and that nobody here has made. */
  private readonly left = new Set<string>();

  constructor(private readonly services: CellServices) {}

  /** It was found: whoever is to have a container of this name looks at it first. */
  foundContainer(handle: string): void {
    this.left.add(handle);
  }

  /** What earlier agents left goes on using its ports and mounts. To be called before anything new is made. */
  adopt(containers: ContainerInfo[]): void {
    for (const { handle, ports, properties } of containers) {
      const hostPorts = ports.map(({ hostPort }) => hostPort);
      this.services.ports.hold(handle, hostPorts);
      this.services.artifacts.hold(handle, (properties[CACHE_PROPERTY] ?? '').split(',').filter(Boolean));
    }
  }

  /**
   * The container of a request: the one an earlier agent left, if its main process still runs or its end can still be
   * read; otherwise a new one. What cannot be taken up again (half made, or several processes that lost their agent) is
   * removed.
   */
  async provide(request: ProvisionRequest, signal: AbortSignal): Promise<Provided> {
    if (!this.left.delete(request.guid)) {
      try {
        return { container: await this.create(request, signal), isAdopted: false };
      } catch (error) {
        // An earlier agent's call reached the engine after all that was there had been listed.
        if (!(error instanceof RiveraError) || error.code !== 'already-exists') throw error;
      }
    }
    const found = await this.lookup(request.guid);
    if (found !== undefined) {
      if (request.main !== undefined && !(await this.services.garden.discard(request.guid))) {
        const { address } = await found.info();
        if (this.wantsCertificate(request))
          await this.services.credentials.resume(this.subject(request, address));
        return { container: found, isAdopted: true };
      }
      await this.services.garden.destroy(request.guid);
    }
    return { container: await this.create(request, signal), isAdopted: false };
  }

  /** Gives back what a container used that is gone. */
  async release(guid: string): Promise<void> {
    this.left.delete(guid);
    this.services.sandboxes.release(guid);
    this.services.ports.release(guid);
    await this.services.artifacts.release(guid);
    await this.services.mounts.release(guid);
    await this.services.credentials.release(guid);
  }

  private async create(request: ProvisionRequest, signal: AbortSignal): Promise<Container> {
    const { cellId, garden } = this.services;
    const { guid, logs } = request;
    const dependencies = await this.dependencies(request, signal);
    const extra = await this.mounts(request);
    logs.platform('out', `Cell ${cellId} creating container for instance ${guid}`);
    try {
      const spec = await this.spec(request, { ...dependencies, mounts: [...dependencies.mounts, ...extra] });
      const container = await garden.create(spec, (text) => logs.platform('out', text));
      if (this.wantsCertificate(request)) await this.certify(request, container);
      logs.platform('out', `Cell ${cellId} successfully created container for instance ${guid}`);
      return container;
    } catch (error) {
      const reason = messageOf(error);
      logs.platform('err', `Cell ${cellId} failed to create container for instance ${guid}: ${reason}`);
      throw reworded(error, `failed to create container: ${reason}`);
    }
  }

  private async spec(
    request: ProvisionRequest,
    { mounts, entryIds }: { mounts: BindMount[]; entryIds: string[] },
  ): Promise<ContainerSpec> {
    const { guid, definition, containerPorts, main } = request;
    const { policy } = this.services;
    const { imageUsername, imagePassword, egressRules } = definition;
    const egress = egressRules === undefined ? {} : { egress: egressOf(egressRules) };
    const certificates = this.certificates(definition);
    const credentials = this.wantsCertificate(request)
      ? await this.services.credentials.prepare(guid)
      : { mounts: [], env: [] };
    const { ports, ...sandbox } = await this.network(guid, containerPorts);
    return {
      handle: guid,
      rootfs: layersOf(definition).rootfs,
      imageUsername,
      imagePassword,
      env: [
        ...request.env,
        ...variables(definition.environmentVariables),
        ...certificates.env,
        ...credentials.env,
      ],
      limits: limitsOf(definition, policy),
      privileged: definition.privileged ?? false,
      ports: containerPorts,
      hostPorts: Object.fromEntries(ports.map(({ containerPort, hostPort }) => [containerPort, hostPort])),
      ...sandbox,
      addressAhead: this.wantsCertificate(request),
      bindMounts: [...certificates.mounts, ...credentials.mounts, ...mounts],
      ...egress,
      properties: {
        ...request.properties,
        ...(entryIds.length === 0 ? {} : { [CACHE_PROPERTY]: entryIds.join(',') }),
      },
      ...(main === undefined ? {} : { main: main(ports) }),
    };
  }

  /** One that was made ahead, or host ports for one that is made with the container. */
  private async network(
    guid: string,
    containerPorts: number[],
  ): Promise<{ ports: PortMapping[]; sandbox?: string }> {
    const { ports: pool, sandboxes } = this.services;
    const warm = sandboxes.take(guid, containerPorts);
    if (warm !== undefined) return { ports: warm.ports, sandbox: warm.name };
    const hostPorts = await pool.acquire(guid, containerPorts);
    return {
      ports: [...new Set(containerPorts)].map((containerPort) => ({
        containerPort,
        hostPort: hostPorts[containerPort]!,
      })),
    };
  }

  /** All at once; the first failure cancels the others. */
  private async dependencies(
    { guid, definition, logs }: ProvisionRequest,
    signal: AbortSignal,
  ): Promise<{ mounts: BindMount[]; entryIds: string[] }> {
    const others = new AbortController();
    const all = AbortSignal.any([signal, others.signal]);
    const { cachedDependencies } = layersOf(definition);
    const fetched = await Promise.allSettled(
      cachedDependencies.map((dependency) =>
        this.dependency(guid, dependency, logs, all).catch((error: unknown) => {
          if (!all.aborted) this.sayFailure(logs, dependency, error);
          others.abort();
          throw error;
        }),
      ),
    );
    signal.throwIfAborted();
    const failure = fetched.find(({ status }) => status === 'rejected');
    if (failure !== undefined) throw new RiveraError('unavailable', 'failed to download cached artifacts');
    const results = fetched.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    return {
      mounts: results.map(({ mount }) => mount),
      entryIds: results.map(({ entryId }) => entryId),
    };
  }

  private async dependency(
    guid: string,
    dependency: CachedDependency,
    logs: LogStreamer,
    signal: AbortSignal,
  ): Promise<{ mount: BindMount; entryId: string }> {
    const { name, to, logSource = 'CELL' } = dependency;
    if (name) logs.line(logSource, 'out', `Downloading ${name}...`);
    const artifact = await untilAborted(
      this.services.artifacts.fetchDirectory(requestOf(dependency), guid, signal),
      signal,
    );
    const fetched = artifact.fetchedBytes === 0 ? '' : ` (${size(artifact.fetchedBytes)})`;
    if (name) logs.line(logSource, 'out', `Downloaded ${name}${fetched}`);
    return { mount: { source: artifact.path, target: to, readOnly: true }, entryId: artifact.entryId! };
  }

  private sayFailure(logs: LogStreamer, dependency: CachedDependency, error: unknown): void {
    const what = dependency.name ? `Downloading ${dependency.name} failed` : 'Downloading failed';
    logs.line(dependency.logSource ?? 'CELL', 'err', `${what}: ${messageOf(error)}`);
  }

  private async mounts({ guid, definition }: ProvisionRequest): Promise<BindMount[]> {
    const { mounts } = this.services;
    const volumes = await mounts.volumes(definition.volumeMounts).catch((error: unknown) => {
      // Only our own words are safe to show; those of the operating system name places of this host.
      const shown = error instanceof RiveraError ? `, errors: ${error.message}` : '';
      throw reworded(error, `failed to mount volume${shown}`);
    });
    const files = await mounts.files(guid, definition.volumeMountedFiles).catch((error: unknown) => {
      throw reworded(error, 'failed to create volume mounted files');
    });
    return [...volumes, ...files];
  }

  private certificates({ trustedSystemCertificatesPath: target }: Definition): {
    mounts: BindMount[];
    env: string[];
  } {
    const { trustedCertificatesDirectory: source } = this.services.policy;
    if (!target || source === undefined) return { mounts: [], env: [] };
    return {
      mounts: [{ source, target, readOnly: true }],
      env: [`${CERTIFICATES_VARIABLE}=${target}`],
    };
  }

  private wantsCertificate({ definition }: ProvisionRequest): boolean {
    return this.services.credentials.areIssued && definition.certificateProperties !== undefined;
  }

  private subject(
    { guid, definition }: ProvisionRequest,
    address = this.services.address,
  ): CertificateSubject {
    const organizationalUnits = definition.certificateProperties?.organizationalUnit ?? [];
    return { guid, organizationalUnits, address };
  }

  /** Before it starts; where its address is not known by then, the cell's is in the certificate. */
  private async certify(request: ProvisionRequest, container: Container): Promise<void> {
    try {
      const { address } = await container.info();
      await this.services.credentials.issue(this.subject(request, address));
    } catch (error) {
      await this.services.garden.destroy(request.guid);
      throw reworded(error, `its certificate could not be issued: ${messageOf(error)}`);
    }
  }

  private async lookup(handle: string): Promise<Container | undefined> {
    try {
      return await this.services.garden.lookup(handle);
    } catch (error) {
      if (error instanceof RiveraError && error.code === 'not-found') return undefined;
      throw reworded(error, `failed to create container: ${messageOf(error)}`);
    }
  }
}

function reworded(error: unknown, message: string): RiveraError {
  return new RiveraError(error instanceof RiveraError ? error.code : 'internal', message);
}
