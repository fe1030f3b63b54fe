/** What must be known of a sandbox to put a container into it. */
export interface HeldSandbox {
  name: string;
  /** The engine's id. */
  containerId: string;
  /** Of the process that holds the network, on the engine's host. */
  pid: number;
  address: string;
  hostname: string;
  /** Places of the engine's files that every container of this network sees. */
  files: { hostname: string; hosts: string };
}
