import {
  ExactlyOneOf,
  IsCellId,
  IsFlag,
  IsGuid,
  IsInteger,
  IsName,
  IsOneOf,
  IsPart,
  IsPartList,
  IsRootfs,
  LIMITS,
  Optional,
  parse,
  RiveraError,
  RootfsProvider,
  SpreadRule,
} from '#rivera/models';
import { isTaskAuction } from '../types.js';
import type { Auction, AuctionCell } from '../types.js';
import { DescribedCell, DescribedWork } from './described.js';
import type { SimulationInput } from './inputs.js';

const TYPES = [
  'cell',
  'runs',
  'submit',
  'auction',
  'started',
  'refused',
  'ended',
  'lost',
] as const satisfies readonly SimulationInput['type'][];

/** Inputs as text: one JSON object a line, so that a day of them can be read piece by piece (docs/simulation.md). */

class RecordedCell extends DescribedCell implements AuctionCell {
  @IsCellId()
  cellId: string;

  @IsName()
  zone: string;

  @IsPartList(() => RootfsProvider, { max: LIMITS.rootfsProviders })
  rootfsProviders: RootfsProvider[];

  @Optional()
  @IsFlag()
  evacuating?: boolean;

  @Optional()
  @IsInteger({ min: 0 })
  index?: number;
}

class RecordedRequest extends DescribedWork {
  @IsRootfs()
  rootfs: string;
}

class RecordedLRP extends RecordedRequest {
  @IsGuid()
  processGuid: string;

  @IsInteger({ min: 0 })
  index: number;

  @Optional()
  @IsPartList(() => SpreadRule, { max: LIMITS.spreadRules })
  spread?: SpreadRule[];
}

class RecordedTask extends RecordedRequest {
  @IsGuid()
  taskGuid: string;
}

class Line {
  @IsOneOf(TYPES)
  type: SimulationInput['type'];
}

class CellLine extends Line {
  @IsPart(() => RecordedCell)
  cell: RecordedCell;
}

@ExactlyOneOf<SubmitLine>('lrp', 'task')
class SubmitLine extends Line {
  @Optional()
  @IsPart(() => RecordedLRP)
  lrp?: RecordedLRP;

  @Optional()
  @IsPart(() => RecordedTask)
  task?: RecordedTask;
}

class RunsLine extends SubmitLine {
  @IsCellId()
  cellId: string;
}

class WorkLine extends Line {
  @IsName()
  work: string;
}

class LostLine extends Line {
  @IsCellId()
  cellId: string;
}

/** An input as one line, without the line's end. */
export function lineOf(input: SimulationInput): string {
  if (input.type !== 'runs' && input.type !== 'submit') return JSON.stringify(input);
  const { auction, ...rest } = input;
  return JSON.stringify({ ...rest, ...(isTaskAuction(auction) ? { task: auction } : { lrp: auction }) });
}

/**
 * The input that a line holds.
 *
 * @throws RiveraError `invalid-request` that names the line and, in `details.fields`, each field and rule.
 */
export function inputOf(line: string, lineNumber: number): SimulationInput {
  try {
    return inputOfJson(JSON.parse(line));
  } catch (error) {
    const details = error instanceof RiveraError ? error.details : {};
    const sentence = error instanceof Error ? error.message : String(error);
    throw new RiveraError('invalid-request', `Line ${lineNumber} is no input: ${sentence}`, details);
  }
}

function inputOfJson(value: unknown): SimulationInput {
  const { type } = isObject(value) ? value : {};
  switch (type) {
    case 'cell':
      return { type, cell: parse(CellLine, value).cell };
    case 'runs': {
      const { cellId, ...line } = parse(RunsLine, value);
      return { type, cellId, auction: auctionOf(line) };
    }
    case 'submit':
      return { type, auction: auctionOf(parse(SubmitLine, value)) };
    case 'refused':
    case 'ended':
      return { type, work: parse(WorkLine, value).work };
    case 'lost':
      return { type, cellId: parse(LostLine, value).cellId };
    case 'auction':
    case 'started':
      return { type: parse(Line, value).type as typeof type };
    default:
      // Says that `type` is none of those above.
      parse(Line, value);
      throw new RiveraError('internal', `There is no reader for inputs of type ${String(type)}.`);
  }
}

function auctionOf({ lrp, task }: Pick<SubmitLine, 'lrp' | 'task'>): Auction {
  return (lrp ?? task) as Auction;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
