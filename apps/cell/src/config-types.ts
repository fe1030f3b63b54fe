import { z } from 'zod';

export const list = z
  .string()
  .default('')
  .transform((text) => text.split(',').filter((item) => item !== ''));

/** `https://one,https://two` */
export const urls = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.array(z.url({ protocol: /^https?$/ })));

export const optionalSize = z.coerce.number().int().min(0).optional();

/** `name=value,name=value` */
export const map = list.transform((entries, context) => {
  const pairs = entries.map((entry) => entry.split('='));
  if (pairs.every((pair) => pair.length === 2 && pair[0] !== '' && pair[1] !== '')) {
    return Object.fromEntries(pairs) as Record<string, string>;
  }
  context.addIssue({ code: 'custom', message: 'name=value pairs, separated by commas' });
  return z.NEVER;
});

export const count = (least: number, otherwise: number) =>
  z.coerce.number().int().min(least).default(otherwise);

/** `first-last` */
export const portRange = z
  .string()
  .regex(/^\d+-\d+$/, 'first-last')
  .transform((text, context) => {
    const [first = 0, last = 0] = text.split('-').map(Number);
    if (first >= 1 && last >= first && last <= 65_535) return { first, last };
    context.addIssue({ code: 'custom', message: 'first-last, from 1 to 65535' });
    return z.NEVER;
  });

/** `port,port` */
export const portList = (otherwise: string) =>
  z
    .string()
    .default(otherwise)
    .transform((text, context) => {
      const ports = text.split(',').filter(Boolean).map(Number);
      if (ports.every((port) => Number.isInteger(port) && port >= 1 && port <= 65_535)) return ports;
      context.addIssue({ code: 'custom', message: 'ports from 1 to 65535, separated by commas' });
      return z.NEVER;
    });
