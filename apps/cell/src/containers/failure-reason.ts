/** Diego executor: a longer reason loses its middle. */
const MAX_BYTES = 10_000;
const MARK = '\n... (truncated)\n';

/** A failure reason of at most 10 000 bytes, with its beginning and its end. */
export function shortened(reason: string): string {
  const bytes = Buffer.from(reason);
  if (bytes.length <= MAX_BYTES) return reason;
  const half = Math.floor((MAX_BYTES - MARK.length) / 2);
  return `${whole(bytes.subarray(0, half))}${MARK}${whole(bytes.subarray(-half))}`;
}

/** Without the halves of characters at its ends. */
function whole(bytes: Buffer): string {
  return bytes.toString().replace(/^\uFFFD+|\uFFFD+$/g, '');
}
