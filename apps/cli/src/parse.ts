import { InvalidArgumentError } from 'commander';
import type { EnvironmentVariable } from '#rivera/models';

/** A whole number, 0 or more. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count)) {
    throw new InvalidArgumentError('It must be a whole number, 0 or more.');
  }
  return count;
}

/** Megabytes: `64`, `64M` or `2G`. */
export function parseMb(text: string): number {
  const match = /^(\d+)(m|mb|g|gb)?$/i.exec(text);
  if (!match) throw new InvalidArgumentError('It must be a size in megabytes (64, 64M) or gigabytes (2G).');
  const [, digits = '', unit = 'm'] = match;
  return parseCount(digits) * (unit.toLowerCase().startsWith('g') ? 1024 : 1);
}

const UNITS_S: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** Seconds, from a number with a unit. */
export function parseSeconds(text: string): number {
  const match = /^([1-9]\d{0,6})([smhd])$/.exec(text);
  if (!match) throw new InvalidArgumentError('It must be a number with a unit: 90s, 15m, 24h or 7d.');
  const [, digits = '', unit = ''] = match;
  return Number(digits) * (UNITS_S[unit] ?? 1);
}

/** For an option that may be repeated. */
export function collect(text: string, before: string[] = []): string[] {
  return [...before, text];
}

/** `NAME=value`, repeated. */
export function collectVariable(text: string, before: EnvironmentVariable[] = []): EnvironmentVariable[] {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It must look like NAME=value.');
  return [...before, { name: text.slice(0, at), value: text.slice(at + 1) }];
}
