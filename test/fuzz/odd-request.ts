import type { Random } from './random.js';
import { type Draft, type FuzzRequest, written } from './wire.js';

/** Not quite HTTP: the server may refuse it before any route sees it. */
export function oddRequest(draft: Draft, random: Random): FuzzRequest {
  const body = draft.body ?? Buffer.from('{}');
  const { method, target } = draft;
  const good = written({ ...draft, body }, { isChunked: false, random }).bytes.toString('latin1');
  const raw = (text: string): FuzzRequest => ({
    bytes: Buffer.from(text, 'latin1'),
    methods: [method],
    kind: 'odd',
    routes: ['not quite HTTP'],
    mustBeRefused: [false],
  });
  const withHeader = (line: string): FuzzRequest => raw(good.replace('\r\n', `\r\n${line}\r\n`));
  return random.weighted<FuzzRequest>([
    [1, () => raw(good.replace(method, random.pick(['FOO', 'get', 'GE T', '', '\0', 'CONNECT', 'PRI'])))],
    [
      1,
      () =>
        raw(
          good.replace(
            'HTTP/1.1',
            random.pick(['HTTP/1.0', 'HTTP/0.9', 'HTTP/2.0', 'HTTP/9.9', 'HTCPCP/1.0', '']),
          ),
        ),
    ],
    [
      1,
      () =>
        raw(good.replace(target, random.pick(['*', 'x', '/ /', '/\0', '/\u00ff', `/${'a'.repeat(20_000)}`]))),
    ],
    [1, () => raw(good.replace(/host: .*\r\n/, ''))],
    [1, () => withHeader('transfer-encoding: chunked')],
    [1, () => withHeader('transfer-encoding: gzip')],
    [
      1,
      () =>
        withHeader(
          `content-length: ${random.pick(['-1', '1e3', '99999999999999999999', '0x10', '', '5, 6'])}`,
        ),
    ],
    [
      1,
      () =>
        withHeader(
          random.pick([
            'no colon',
            ': no name',
            'x y: z',
            'x: \0',
            ' folded: x',
            'x:\u0001',
            `x: ${'y'.repeat(20_000)}`,
          ]),
        ),
    ],
    [1, () => raw(good.replace(/content-length: \d+/, 'content-length: 1'))],
    [1, () => raw(good.replaceAll('\r\n', '\n'))],
    [1, () => raw(String.fromCharCode(...random.times(200, () => random.below(256))))],
    [1, () => raw('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')],
    [1, () => withHeader('expect: nonsense')],
  ]);
}
