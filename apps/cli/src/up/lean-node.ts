/**
 * How the agent of a cell is started, so that it takes little memory while it watches: its young generation stays small, code is compiled for size,
 * and so does the number of places that the C library takes memory from. docker/compose.yaml says the same.
 */
export const LEAN_NODE = {
  args: ['--max-semi-space-size=2', '--optimize-for-size'],
  env: { MALLOC_ARENA_MAX: '2' },
} as const;
