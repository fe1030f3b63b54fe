/** What one container uses; an absent field cannot be known on that cell. */
export interface ContainerStats {
  /** Instance guid or task guid. */
  guid: string;
  /** Of an instance. */
  processGuid?: string;
  /** Of an instance. */
  index?: number;
  /** When it was measured, in milliseconds since the Unix epoch. */
  time: number;
  /** Percent of one processor since the measurement before; absent for the first. */
  cpuPercent?: number;
  /** Processor time used since the container started. */
  cpuNanoseconds?: number;
  memoryBytes?: number;
  /** 0 = unlimited. */
  memoryLimitBytes?: number;
  diskBytes?: number;
  /** 0 = unlimited. */
  diskLimitBytes?: number;
  pids?: number;
  /** Received since the container started. */
  rxBytes?: number;
  /** Sent since the container started. */
  txBytes?: number;
  /** Since the container started. */
  ageMs?: number;
}
