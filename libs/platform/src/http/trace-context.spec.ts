import { outgoingTraceparent, traceContextOf, traceIdOf, traceResponse } from './trace-context.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

describe('traceIdOf', () => {
  it.each([
    `00-${TRACE}-${PARENT}-01`,
    `cc-${TRACE}-${PARENT}-00`,
    `cc-${TRACE}-${PARENT}-00-what-comes-later`,
  ])('takes the trace id of %s', (traceparent) => {
    expect(traceIdOf({ traceparent })).toBe(TRACE);
  });

  it.each([
    undefined,
    '',
    'x',
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE}`,
    `00-${TRACE}-${PARENT}-01-more`,
    `00-${TRACE}-${PARENT}-011`,
    `cc-${TRACE}-${PARENT}-011`,
    `ff-${TRACE}-${PARENT}-01`,
    `00-${TRACE.toUpperCase()}-${PARENT}-01`,
    ` 00-${TRACE}-${PARENT}-01`,
  ])('makes a new one for %s', (traceparent) => {
    const traceId = traceIdOf({ traceparent });
    expect(traceId).toMatch(/^[\da-f]{32}$/);
    expect(traceId).not.toMatch(/^0+$/);
    expect(traceIdOf({ traceparent })).not.toBe(traceId);
  });
});

describe('traceContextOf', () => {
  it('has a new span id each time and passes on whether the client records', () => {
    const headers = { traceparent: `00-${TRACE}-${PARENT}-ff` };
    const context = traceContextOf(headers, TRACE);
    expect(context).toEqual({
      traceId: TRACE,
      spanId: expect.stringMatching(/^[\da-f]{16}$/) as unknown,
      flags: '01',
    });
    expect(context.spanId).not.toBe(PARENT);
    expect(traceContextOf(headers, TRACE).spanId).not.toBe(context.spanId);
    expect(traceContextOf({}, TRACE).flags).toBe('00');
    expect(traceResponse(context)).toBe(`00-${TRACE}-${context.spanId}-01`);
  });
});

describe('outgoingTraceparent', () => {
  it('continues the trace with a span of its own', () => {
    const header = outgoingTraceparent(TRACE, '01');
    expect(traceIdOf({ traceparent: header })).toBe(TRACE);
    expect(header).toMatch(/-01$/);
    expect(outgoingTraceparent(TRACE, '01')).not.toBe(header);
    expect(outgoingTraceparent(TRACE)).toMatch(/-00$/);
  });
});
