import type { EnvironmentVariable, PortMapping } from '#rivera/models';

/** Variables an LRP instance sees (Diego rep): who it is, where to listen, then its own, which win. */
export function instanceEnvironment(
  { instanceGuid, index, port }: { instanceGuid: string; index: number; port?: number },
  own: EnvironmentVariable[] = [],
): string[] {
  return [
    `INSTANCE_GUID=${instanceGuid}`,
    `INSTANCE_INDEX=${index}`,
    `CF_INSTANCE_GUID=${instanceGuid}`,
    `CF_INSTANCE_INDEX=${index}`,
    ...(port === undefined ? [] : [`PORT=${port}`]),
    ...variables(own),
  ];
}

export function variables(own: EnvironmentVariable[] = []): string[] {
  return own.map(({ name, value }) => `${name}=${value}`);
}

/**
 * Variables about the network (Diego executor, run step). `ports` is empty as long as the engine has not chosen the host
 * ports, which it does when a container starts.
 */
export function networkEnvironment(options: {
  cellAddress: string;
  instanceAddress?: string;
  containerPorts: number[];
  ports: PortMapping[];
}): string[] {
  const { cellAddress, instanceAddress, containerPorts, ports } = options;
  const [first] = ports;
  const external = containerPorts.map((internal) => ({
    external: ports.find(({ containerPort }) => containerPort === internal)?.hostPort,
    internal,
  }));
  return [
    `CF_INSTANCE_IP=${cellAddress}`,
    `CF_INSTANCE_INTERNAL_IP=${instanceAddress ?? cellAddress}`,
    `CF_INSTANCE_PORT=${first?.hostPort ?? ''}`,
    `CF_INSTANCE_ADDR=${first === undefined ? '' : `${cellAddress}:${first.hostPort}`}`,
    `CF_INSTANCE_PORTS=${JSON.stringify(external)}`,
  ];
}
