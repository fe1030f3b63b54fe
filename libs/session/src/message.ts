import {
  ERROR_CODES,
  type ErrorCode,
  type FieldError,
  RiveraError,
  type SessionRequest,
} from '#rivera/models';

/**
 * What is said within a session besides data. It travels as JSON in text messages, and each side passes over what it
 * does not know.
 */
export type Control =
  /** To the cell, first of all: what the session is for. */
  | { type: 'open'; request: SessionRequest }
  /** From an API client, first of all: what it wants to run. Its fields are those of an `ExecRequest`. */
  | { type: 'start'; request: unknown }
  /** From the cell: it does what it was asked. */
  | { type: 'opened' }
  /** To the process: there is no more input. */
  | { type: 'eof' }
  /** To the process: its terminal has another size. */
  | { type: 'resize'; columns: number; rows: number }
  /** To the process. */
  | { type: 'signal'; signal: string }
  /** From the cell, last of all: it is done. `status` is the exit status of a process. */
  | { type: 'end'; status?: number }
  /** Last of all: it could not be done. */
  | { type: 'error'; code: ErrorCode; message: string; fields?: FieldError[] };

/** Which stream a piece of data belongs to. */
export const CHANNELS = ['stdin', 'stdout', 'stderr'] as const;
export type Channel = (typeof CHANNELS)[number];

/** A piece of a stream; it travels as a binary message whose first byte is the position of its channel in `CHANNELS`. */
export interface Data {
  channel: Channel;
  bytes: Buffer;
}

export type Message = Control | Data;

export function isData(message: Message): message is Data {
  return 'channel' in message;
}

/** Data in one message; more would keep a resize or a signal waiting. */
export const MAX_DATA_BYTES = 65_536;

export function encode(message: Message): string | Buffer {
  if (!isData(message)) return JSON.stringify(message);
  return Buffer.concat([Buffer.of(CHANNELS.indexOf(message.channel)), message.bytes]);
}

/** Undefined for what nobody understands: a message of a later version, or of somebody who speaks another language. */
export function decode(raw: string | Buffer): Message | undefined {
  if (typeof raw !== 'string') {
    const channel = CHANNELS[raw[0] ?? CHANNELS.length];
    return channel && { channel, bytes: raw.subarray(1) };
  }
  try {
    const control: unknown = JSON.parse(raw);
    return isControl(control) ? control : undefined;
  } catch {
    return undefined;
  }
}

function isControl(value: unknown): value is Control {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

/** The error that an `error` message stands for. */
export function errorOf({ code, message, fields }: Extract<Control, { type: 'error' }>): RiveraError {
  const known = ERROR_CODES.includes(code) ? code : 'internal';
  return new RiveraError(known, message, fields === undefined ? {} : { fields });
}
