import { posix } from 'node:path';
import { FakeGarden, FakeHost } from '#rivera/garden';
import type { FakeProgram, FakeScript } from '#rivera/garden';
import { notFound } from '#rivera/models';
import { CONFORMANCE_PROGRAMS, gardenConformance } from '../../libs/garden/src/garden.conformance.js';
import type { ConformanceProgram } from '../../libs/garden/src/garden.conformance.js';

const dirOf = ({ spec }: FakeProgram): string => spec.dir ?? '/home/vcap';
const waitForTerm = (program: FakeProgram, onTerm: () => void): void => {
  program.stdout('ready\n');
  program.onSignal(onTerm);
};

/** The suite's programs as the shell would run them. */
const PLAYS: Record<ConformanceProgram, FakeScript> = {
  exit3: (program) => program.exit(3),
  order: (program) => {
    program.stdout('out1\n');
    program.stderr('err1\n');
    program.stdout('out2\nlast');
    program.exit(0);
  },
  polite: (program) =>
    waitForTerm(program, () => {
      program.stdout('bye\n');
      program.exit(7);
    }),
  stubborn: (program) => waitForTerm(program, () => undefined),
  sleeper: (program) => program.stdout('ready\n'),
  ticker: (program) => {
    const tick = (count: number): void => {
      program.stdout(`tick ${count}\n`);
      program.after(10, () => tick(count + 1));
    };
    tick(1);
  },
  burst: (program) => {
    program.stdout('x'.repeat(1_048_576));
    program.exit(0);
  },
  env: (program) => {
    program.stdout(`${program.env.join('\n')}\n`);
    program.exit(0);
  },
  stdin: (program) =>
    program.onInput((chunk) => {
      if (chunk !== undefined) return program.stdout(chunk.toString());
      program.stdout('end\n');
      program.exit(0);
    }),
  nofile: (program) => {
    program.stdout(`${program.spec.nofile}\n`);
    program.exit(0);
  },
  whoami: (program) => {
    program.stdout('2000\n');
    program.exit(0);
  },
  pwd: (program) => {
    program.stdout(`${dirOf(program)}\n`);
    program.exit(0);
  },
  home: (program) => {
    program.stdout(dirOf(program) === '/home/vcap' ? 'at home\n' : '');
    program.exit(0);
  },
  cat: (program) => {
    program.stdout(String(program.files.get(posix.join(dirOf(program), 'sub/hello.txt'))));
    program.exit(0);
  },
  hog: (program) => program.runOutOfMemory(),
  forks: (program) => program.exit(2),
};

const script: FakeScript = (program) => {
  const { path, args } = program.spec;
  if (!path.endsWith('sh')) throw notFound('program', path);
  const name = Object.keys(CONFORMANCE_PROGRAMS).find((one) => one === args[2]) as ConformanceProgram;
  PLAYS[name](program);
};

gardenConformance('fake', () => {
  const host = new FakeHost({ script });
  return Promise.resolve({
    open: (owner) => Promise.resolve(new FakeGarden({ owner, host, stacks: ['base'] })),
    rootfs: 'preloaded:base',
    user: { name: 'vcap', uid: 2000 },
    hasRealProcesses: false,
    close: () => Promise.resolve(),
  });
});
