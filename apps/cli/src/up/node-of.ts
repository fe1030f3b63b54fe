/** How Node is started for a program. */
export interface NodeStart {
  args: readonly string[];
  env: Readonly<Record<string, string>>;
}

/**
 * The agent of a cell is to take little memory while it watches: its young generation stays small, code is compiled for
 * size, it may collect garbage when nothing happens, and the C library takes memory from few places.
 */
const LEAN: NodeStart = {
  args: ['--max-semi-space-size=2', '--optimize-for-size', '--expose-gc'],
  env: { MALLOC_ARENA_MAX: '2' },
};

/**
 * `bbs` makes much that lives for one request only. With Node's own 16 MB for new objects a tenth of its processor time and
 * more goes into looking at them too early; this costs up to 130 MB of memory under load.
 */
const ROOMY: NodeStart = { args: ['--max-semi-space-size=64'], env: {} };

const PLAIN: NodeStart = { args: [], env: {} };

/** How Node is started for a program of Rivera; docker/compose.yaml says the same. */
export function nodeOf(app: string): NodeStart {
  if (app === 'cell') return LEAN;
  return app === 'bbs' ? ROOMY : PLAIN;
}
