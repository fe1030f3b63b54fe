/**
 * How the agent of a cell is started, so that it takes little memory while it watches: its young generation stays small,
 * code is compiled for size, it may collect garbage when nothing happens, and the C library takes memory from few places.
 * docker/compose.yaml says the same.
 */
export const LEAN_NODE = {
  args: ['--max-semi-space-size=2', '--optimize-for-size', '--expose-gc'],
  env: { MALLOC_ARENA_MAX: '2' },
} as const;
