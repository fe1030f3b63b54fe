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

/** Variables about the network (Diego executor, run step). */
export function networkEnvironment(options: {
  cellAddress: string;
  /** Unknown before a container starts: a variable that is not there is better than one that is wrong. */
  instanceAddress?: string;
  /** In the order they were asked for. */
  ports: PortMapping[];
}): string[] {
  const { cellAddress, instanceAddress, ports } = options;
  const [first] = ports;
  return [
    `CF_INSTANCE_IP=${cellAddress}`,
    ...(instanceAddress === undefined ? [] : [`CF_INSTANCE_INTERNAL_IP=${instanceAddress}`]),
    `CF_INSTANCE_PORT=${first?.hostPort ?? ''}`,
    `CF_INSTANCE_ADDR=${first === undefined ? '' : `${cellAddress}:${first.hostPort}`}`,
    `CF_INSTANCE_PORTS=${JSON.stringify(
      ports.map(({ hostPort, containerPort }) => ({ external: hostPort, internal: containerPort })),
    )}`,
  ];
}
