import type { ChildProcess } from 'node:child_process';
import type { ProcessOutput } from '../container.js';

/** Hands on what comes through the pipes of a process until both have ended; it waits while the sink is not ready. */
export async function readPipes(child: ChildProcess, output: ProcessOutput): Promise<void> {
  const streams = ['stdout', 'stderr'] as const;
  await Promise.all(
    streams.map(async (stream) => {
      for await (const chunk of child[stream] ?? []) {
        output[stream](chunk as Buffer);
        await output.ready?.();
      }
    }),
  );
}
