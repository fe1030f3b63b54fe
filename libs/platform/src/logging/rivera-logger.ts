import type { LoggerService } from '@nestjs/common';
import { type Logger, pino, stdTimeFunctions } from 'pino';

import type { LogConfig, LogLevel } from '../config/log.config.js';
import { redactInto, redactText } from './redact.js';
import { textLine } from './text-line.js';

export type LogFields = Record<string, unknown>;

export interface LoggerOptions extends Partial<LogConfig> {
  /** Name of the program, on every line. */
  app: string;
  /** Where lines go; standard output when absent. */
  destination?: { write(line: string): void };
}

/**
 * Lines of one turn of the event loop are written together, so that none can be lost but by a process killed within it.
 * Whoever keeps them decides when they are on disk: nothing waits for that here.
 */
function standardOutput(): { write(line: string): void } {
  let lines = '';
  let writing: NodeJS.Immediate | undefined;
  const write = () => {
    writing = undefined;
    const text = lines;
    lines = '';
    if (text !== '') process.stdout.write(text);
  };
  process.on('exit', write);
  return {
    write: (line) => {
      lines += line;
      writing ??= setImmediate(write);
    },
  };
}

/** Members of an entry that fields may not replace. */
const RESERVED = new Set(['time', 'level', 'app', 'message', 'session']);

/**
 * Structured logging (Diego, lager): the message is the name of an event in kebab-case, e.g.
 * `logger.log('claimed-actual-lrp', { processGuid, index })`; objects after it are merged into the entry, an `Error`
 * becomes `error` with its stack, a final text becomes `context` as Nest has it. Secrets are taken out of every entry.
 */
export class RiveraLogger implements LoggerService {
  private constructor(
    private readonly sink: Logger,
    private readonly path: string,
    private readonly fields: LogFields,
  ) {}

  static create(options: LoggerOptions): RiveraLogger {
    const { app, level = 'info', format = 'json' } = options;
    const out = options.destination ?? standardOutput();
    const stream = format === 'json' ? out : { write: (line: string) => out.write(textLine(line)) };
    const sink = pino(
      {
        level,
        base: { app },
        messageKey: 'message',
        timestamp: stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
      },
      stream,
    );
    return new RiveraLogger(sink, '', {});
  }

  /** A logger for one piece of work: its entries carry `session` (names joined by dots) and the fields. */
  session(name: string, fields: LogFields = {}): RiveraLogger {
    const path = this.path === '' ? name : `${this.path}.${name}`;
    return new RiveraLogger(this.sink, path, { ...this.fields, ...fields });
  }

  log(message: unknown, ...rest: unknown[]): void {
    this.write('info', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  private write(level: LogLevel, message: unknown, rest: unknown[]): void {
    if (!this.sink.isLevelEnabled(level)) return;
    const fields: LogFields = { ...this.fields };
    const text = typeof message === 'string' ? message : absorb(fields, message);
    rest.forEach((extra, position) => {
      const isLast = position === rest.length - 1;
      if (typeof extra === 'string') addText(fields, extra, isLast);
      else absorb(fields, extra);
    });
    const entry: LogFields = this.path === '' ? {} : { session: this.path };
    redactInto(entry, fields, unreserved);
    this.sink[level](entry, redactText(text));
  }
}

/** Merges a logged value into the fields and returns the text that stands for it. */
function absorb(fields: LogFields, value: unknown): string {
  if (value instanceof Error) {
    fields['error'] = value;
    return value.message;
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    Object.assign(fields, value);
    return '';
  }
  if (value !== undefined) fields['value'] = value;
  return String(value);
}

/** Nest passes stack traces and the name of the logging class as plain texts. */
function addText(fields: LogFields, text: string, isLast: boolean): void {
  if (text.includes('\n    at ')) fields['stack'] = text;
  else if (isLast) fields['context'] = text;
  else fields['detail'] = text;
}

function unreserved(key: string): string {
  return RESERVED.has(key) ? `${key}_` : key;
}
