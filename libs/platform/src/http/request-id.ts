const REQUEST_ID = /^[\w.:/+=-]{1,128}$/;

/** What the client calls its request, when that is fit to be sent back in a header. */
export function requestIdOf(headers: Record<string, string | string[] | undefined>): string | undefined {
  const given = headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : undefined;
}
