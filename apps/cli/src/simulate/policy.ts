import type { AuctionEngine, AuctionOptions } from '#rivera/auction';
import { DEFAULT_AUCTION_OPTIONS, IndexedAuction, ScanAuction } from '#rivera/auction';
import { UsageError } from '../errors.js';

const ENGINES = { indexed: IndexedAuction, scan: ScanAuction } as const;
type EngineName = keyof typeof ENGINES;

/** How an engine decides, and which. */
export interface Policy {
  /** Both decide the same; the scan takes far longer. */
  engine: EngineName;
  options: Partial<AuctionOptions>;
}

/**
 * `name=value`, several times; later ones win. The names are those of the auction's options (docs/placement.md), and
 * `engine`.
 */
export function policyOf(settings: readonly string[], base: Partial<Policy> = {}): Policy {
  const given = settings.map((setting) => {
    const at = setting.indexOf('=');
    if (at < 1)
      throw new UsageError(`"${setting}" is no option of the auction; it must look like name=value.`);
    return [setting.slice(0, at), valueOf(setting.slice(at + 1))] as const;
  });
  const { engine = base.engine ?? 'indexed', ...options } = Object.fromEntries(given);
  if (!isEngineName(engine)) {
    const names = Object.keys(ENGINES).join(' and ');
    throw new UsageError(`There is no engine ${JSON.stringify(engine)}. Those there are: ${names}.`);
  }
  return { engine, options: { ...base.options, ...checkedOptions(options) } };
}

function isEngineName(name: unknown): name is EngineName {
  return typeof name === 'string' && Object.hasOwn(ENGINES, name);
}

/** @throws UsageError when there is no such option, or its value is of another type. */
export function checkedOptions(options: Record<string, unknown>): Partial<AuctionOptions> {
  const known: Record<string, unknown> = { ...DEFAULT_AUCTION_OPTIONS };
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(known, name)) {
      const names = Object.keys(known).join(', ');
      throw new UsageError(`The auction has no option "${name}". Those there are: ${names}.`);
    }
    if (typeof value !== typeof known[name]) {
      throw new UsageError(
        `The option ${name} must be a ${typeof known[name]}, not ${JSON.stringify(value)}.`,
      );
    }
  }
  return options;
}

/** An engine without any cells. */
export function engineOf({ engine, options }: Policy): AuctionEngine {
  return new ENGINES[engine]([], options);
}

/** The options that are not as usual, in words. */
export function policyInWords({ engine, options }: Policy): string {
  const settings = Object.entries(engine === 'indexed' ? options : { engine, ...options }).map(
    ([name, value]) => `${name}=${JSON.stringify(value)}`,
  );
  return settings.length === 0 ? 'the usual options' : settings.join(', ');
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
