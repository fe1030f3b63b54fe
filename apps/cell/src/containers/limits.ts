import type { ContainerLimits } from '#rivera/garden';
import type { Definition } from './image-layers.js';
import type { ContainerPolicy } from './services.js';

/** What a cpu weight of 100 stands for (Diego executor, container max cpu shares). */
const FULL_CPU_SHARES = 1024;

/**
 * The limits of a container (Diego executor). Who asks for a cpu weight gets that part of 1024 shares; who does not is
 * entitled to processor time as to memory: one share for each megabyte.
 */
export function limitsOf(
  { memoryMb, diskMb, maxPids, cpuWeight }: Definition,
  { defaultMaxPids, cpuQuotaPerShareUs }: Pick<ContainerPolicy, 'defaultMaxPids' | 'cpuQuotaPerShareUs'>,
): ContainerLimits {
  const cpuShares = cpuWeight ? Math.round((FULL_CPU_SHARES * cpuWeight) / 100) : memoryMb;
  return {
    memoryMb,
    diskMb,
    pids: maxPids || defaultMaxPids,
    cpuShares,
    ...(cpuQuotaPerShareUs > 0 && cpuShares > 0 ? { cpuQuotaUs: cpuShares * cpuQuotaPerShareUs } : {}),
  };
}
