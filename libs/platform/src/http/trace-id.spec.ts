import { requestIdOf, traceIdOf } from './trace-id.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

describe('traceIdOf', () => {
  it('takes the trace id of a traceparent header', () => {
    expect(traceIdOf({ traceparent: `00-${TRACE}-00f067aa0ba902b7-01` })).toBe(TRACE);
  });

  it.each([undefined, '', 'x', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, `00-${TRACE}`])(
    'makes a new one for %s',
    (traceparent) => {
      const traceId = traceIdOf({ traceparent });
      expect(traceId).toMatch(/^[\da-f]{32}$/);
      expect(traceId).not.toMatch(/^0+$/);
      expect(traceIdOf({ traceparent })).not.toBe(traceId);
    },
  );
});

describe('requestIdOf', () => {
  it('passes what is fit for a header and nothing else', () => {
    expect(requestIdOf({ 'x-request-id': 'abc-1:2' })).toBe('abc-1:2');
    expect(requestIdOf({ 'x-request-id': 'a b' })).toBeUndefined();
    expect(requestIdOf({ 'x-request-id': 'a'.repeat(129) })).toBeUndefined();
    expect(requestIdOf({})).toBeUndefined();
  });
});
