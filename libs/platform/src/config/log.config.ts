import { z } from 'zod';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export const LOG_FORMATS = ['json', 'text'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

export interface LogConfig {
  level: LogLevel;
  format: LogFormat;
}

/** `LOG_LEVEL` (default `info`) and `LOG_FORMAT` (default `json`; `text` is for people). */
export const logConfig = z
  .object({ LOG_LEVEL: z.enum(LOG_LEVELS).default('info'), LOG_FORMAT: z.enum(LOG_FORMATS).default('json') })
  .transform((env): LogConfig => ({ level: env.LOG_LEVEL, format: env.LOG_FORMAT }));
