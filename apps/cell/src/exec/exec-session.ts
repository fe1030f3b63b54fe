import type { ContainerProcess, ProcessSignal, ProcessSpec } from '#rivera/garden';
import { ExecRequest, parse } from '#rivera/models';
import { type Control, isData, type Session } from '#rivera/session';
import type { RequestOf } from '../link/link.js';
import { type Instances, type ProcessDefaults, requireInstance } from './instances.js';
import { SessionOutput } from './session-output.js';

/** Between SIGHUP and SIGKILL for a process whose client has gone. */
const FAREWELL_MS = 2_000;
const SIGNALS: readonly string[] = [
  'SIGTERM',
  'SIGKILL',
  'SIGINT',
  'SIGHUP',
  'SIGQUIT',
] satisfies ProcessSignal[];

/** Runs a further process in a container; see `SessionRequest`. The process does not outlive the session. */
export function execSession(instances: Instances) {
  return async (session: Session, request: RequestOf<'exec'>): Promise<void> => {
    const exec = parse(ExecRequest, request.exec);
    const { container, defaults } = await requireInstance(instances, request.guid);
    const output = new SessionOutput(session);
    const process = await container.run(specOf(exec, defaults), output);
    const ended = process.wait();
    const leave = endWith(session, process);
    try {
      await session.send({ type: 'opened' }).catch(() => undefined);
      output.begin();
      void takeInput(session, process);
      const { status } = await ended;
      await output.ready();
      session.end({ type: 'end', status });
    } finally {
      leave();
    }
  };
}

function specOf(exec: ExecRequest, defaults: ProcessDefaults): ProcessSpec {
  const { path, args = [], env = [], dir = defaults.dir, user = defaults.user, tty, stdin } = exec;
  return {
    path,
    args,
    env: [...defaults.env, ...env.map(({ name, value }) => `${name}=${value}`)],
    user,
    ...(dir !== undefined && dir !== '' && { dir }),
    ...(tty !== undefined && { tty: true, windowSize: { columns: tty.columns, rows: tty.rows } }),
    stdin: stdin ?? false,
  };
}

/** Ends the process when the session ends before it; the answer calls that off. */
function endWith(session: Session, process: ContainerProcess): () => void {
  let hasEnded = false;
  let timer: NodeJS.Timeout | undefined;
  const tell = (signal: ProcessSignal): void => void process.signal(signal).catch(() => undefined);
  const end = (): void => {
    if (hasEnded) return;
    tell('SIGHUP');
    timer = setTimeout(() => tell('SIGKILL'), FAREWELL_MS);
  };
  void session.closed.then(end);
  return () => {
    hasEnded = true;
    clearTimeout(timer);
  };
}

/** Input, sizes and signals, in the order in which they come, until the session ends. */
async function takeInput(session: Session, process: ContainerProcess): Promise<void> {
  for await (const message of session.messages()) {
    try {
      if (!isData(message)) await control(process, message);
      else if (message.channel === 'stdin') await process.write(message.bytes);
    } catch {
      // A process without input or terminal, or one that has just ended: there is nobody to give it to.
    }
  }
}

async function control(process: ContainerProcess, message: Control): Promise<void> {
  if (message.type === 'eof') process.closeInput();
  else if (message.type === 'resize') {
    const { columns, rows } = message;
    if ([columns, rows].every((size) => Number.isInteger(size) && size > 0))
      await process.resize({ columns, rows });
  } else if (message.type === 'signal' && SIGNALS.includes(message.signal)) {
    await process.signal(message.signal as ProcessSignal);
  }
}
