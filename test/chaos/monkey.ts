import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../support/cluster.js';
import type { Chance } from './random.js';

const LONGEST_PAUSE_MS = 1_500;
const LONGEST_OUTAGE_MS = 1_000;

/**
 * Kills one program after the other, each at some moment and for some time, and starts it again. Each victim is hit
 * once before any is hit again.
 */
export async function monkey(
  cluster: Cluster,
  { chance, victims, rounds }: { chance: Chance; victims: readonly string[]; rounds: number },
): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const left = [...victims];
    while (left.length > 0) {
      const [victim = ''] = left.splice(chance.between(0, left.length - 1), 1);
      await sleep(chance.between(0, LONGEST_PAUSE_MS));
      await kill(cluster, victim);
      await sleep(chance.between(0, LONGEST_OUTAGE_MS));
      await revive(cluster, victim);
    }
  }
}

function kill(cluster: Cluster, victim: string): Promise<void> {
  return victim === 'redis' ? cluster.redis.kill9() : cluster.kill9(victim);
}

/** Not waiting until it is ready: the next one is killed while this one comes up. */
async function revive(cluster: Cluster, victim: string): Promise<void> {
  if (victim === 'redis') await cluster.redis.restart();
  else cluster.program(victim).launch();
}
