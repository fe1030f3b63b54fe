import type { CellReport, SimulationReport, ZoneReport } from '#rivera/auction';
import { percent, scoreOf, whole } from './tables.js';
import type { Outcome } from './tables.js';

/** A piece of the picture and how tall it is. */
interface Block {
  svg: string;
  height: number;
}

const WIDTH = 1200;
const MARGIN = 40;
const INNER = WIDTH - 2 * MARGIN;
const LABEL = 130;

const INK = '#14213d';
const MUTED = '#5b6b85';
const LINE = '#d9e0ea';
const EMPTY = '#edf1f6';
/** What ran at first, and what the auction placed. */
const BEFORE = '#9fb3c8';
const PLACED = '#2a7de1';
/** Fill of a cell that is drawn as one dot, from empty to full. */
const RAMP = ['#edf1f6', '#cfe3f7', '#9cc6f0', '#5fa3e6', '#2a7de1', '#155cb5', '#0b3d80'];
const ALARM = '#d1495b';

/** Cells by fill, zone by zone, as an SVG document; several simulations below each other. */
export function pictureOf(outcomes: readonly Outcome[]): string {
  const blocks = outcomes.map(simulationBlock);
  const { svg, height } = stacked(blocks, MARGIN);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height + MARGIN}" width="${WIDTH}" height="${height + MARGIN}" font-family="Inter, 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif">`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    svg,
    '</svg>\n',
  ].join('\n');
}

function simulationBlock(outcome: Outcome): Block {
  const { report } = outcome;
  const hasRoomForFill = tileSize(report.cells.length) >= 12;
  return stacked([
    titleBlock(outcome),
    figuresBlock(outcome),
    legendBlock(hasRoomForFill),
    ...report.zones.map((zone) => zoneBlock(zone, report)),
    histogramBlock(report),
  ]);
}

/** Blocks below each other, from `top` on. */
function stacked(blocks: readonly Block[], top = 0): Block {
  let height = top;
  const parts = blocks.map((block) => {
    const part = `<g transform="translate(0 ${height})">${block.svg}</g>`;
    height += block.height;
    return part;
  });
  return { svg: parts.join('\n'), height };
}

function titleBlock({ id, title, policy }: Outcome): Block {
  const heading = id === '-' ? title : `${id} · ${title}`;
  return {
    svg: [
      text(MARGIN, 26, heading, { size: Math.min(24, Math.floor(1900 / heading.length)), weight: 700 }),
      text(MARGIN, 50, `Cells by memory in use · ${policy}`, { size: 14, fill: MUTED }),
    ].join(''),
    height: 72,
  };
}

function figuresBlock({ report, decisionsPerSecond }: Outcome): Block {
  const { firstFailure, unplaced, zoneSkew } = report;
  const figures: { name: string; value: string; note: string; alarm?: boolean }[] = [
    { name: 'Placed', value: whole(report.placements), note: `of ${whole(report.submitted)} submitted` },
    {
      name: 'Not placed',
      value: whole(unplaced),
      note: firstFailure
        ? `first at ${percent(firstFailure.memoryFill)} memory`
        : 'nothing was refused a place',
      alarm: unplaced > 0,
    },
    {
      name: 'Memory in use',
      value: percent(report.memoryFill.mean),
      note: `${percent(report.memoryFill.min)} – ${percent(report.memoryFill.max)}`,
    },
    {
      name: 'Distribution score',
      value: scoreOf(report.distributionScore),
      note: `at first ${scoreOf(report.initialDistributionScore)}; 0 is even`,
    },
    {
      name: 'Zone skew',
      value: String(zoneSkew.largest),
      note: `above 1 for ${whole(zoneSkew.skewedApps)} apps`,
    },
    {
      name: 'Decisions a second',
      value: decisionsPerSecond === undefined ? '–' : whole(decisionsPerSecond),
      note: `${whole(report.decisions)} decisions`,
    },
  ];
  const gap = 12;
  const width = (INNER - gap * (figures.length - 1)) / figures.length;
  const cards = figures.map(({ name, value, note, alarm }, at) => {
    const x = MARGIN + at * (width + gap);
    return [
      `<rect x="${round(x)}" y="0" width="${round(width)}" height="84" rx="10" fill="#f7f9fc" stroke="${LINE}"/>`,
      text(x + 14, 23, name, { size: 12, fill: MUTED }),
      text(x + 14, 51, value, { size: 22, weight: 700, fill: alarm ? ALARM : INK }),
      text(x + 14, 71, note, { size: 11, fill: MUTED }),
    ].join('');
  });
  return { svg: cards.join(''), height: 108 };
}

function legendBlock(hasRoomForFill: boolean): Block {
  const y = 12;
  if (hasRoomForFill) {
    const items = [
      { fill: BEFORE, words: 'ran at first' },
      { fill: PLACED, words: 'placed' },
      { fill: EMPTY, words: 'free' },
    ];
    const marks = items.map(({ fill, words }, at) => {
      const x = MARGIN + LABEL + at * 130;
      return `<rect x="${x}" y="${y - 11}" width="14" height="14" rx="3" fill="${fill}" stroke="${LINE}"/>${text(x + 22, y, words, { size: 12, fill: MUTED })}`;
    });
    return { svg: marks.join(''), height: 30 };
  }
  const x = MARGIN + LABEL;
  const steps = RAMP.map(
    (fill, at) => `<rect x="${x + 44 + at * 26}" y="${y - 11}" width="26" height="14" fill="${fill}"/>`,
  );
  const end = x + 44 + RAMP.length * 26;
  return {
    svg: [
      text(x, y, 'empty', { size: 12, fill: MUTED }),
      ...steps,
      text(end + 10, y, 'full', { size: 12, fill: MUTED }),
    ].join(''),
    height: 30,
  };
}

function zoneBlock({ zone, cells, containers, memoryFill }: ZoneReport, report: SimulationReport): Block {
  const size = tileSize(report.cells.length);
  const gap = size >= 12 ? 4 : 1;
  const perRow = Math.max(1, Math.floor((INNER - LABEL + gap) / (size + gap)));
  const tiles = report.cells
    .filter((cell) => cell.zone === zone)
    .map((cell, at) => {
      const x = round(MARGIN + LABEL + (at % perRow) * (size + gap));
      const y = round(Math.floor(at / perRow) * (size + gap));
      return size >= 12 ? tile(cell, { x, y, size }) : dot(cell, { x, y, size });
    });
  const rows = Math.ceil(cells / perRow);
  const label = [
    text(MARGIN, 16, zone, { size: 15, weight: 700 }),
    text(MARGIN, 34, `${whole(cells)} cells`, { size: 12, fill: MUTED }),
    text(MARGIN, 50, `${whole(containers)} containers`, { size: 12, fill: MUTED }),
    text(MARGIN, 66, `${percent(memoryFill)} memory`, { size: 12, fill: MUTED }),
  ];
  return { svg: [...label, ...tiles].join(''), height: Math.max(76, rows * (size + gap)) + 18 };
}

interface Place {
  x: number;
  y: number;
  size: number;
}

/** A cell as a vessel: what ran at first lies at the bottom, what was placed above. */
function tile(cell: CellReport, { x, y, size }: Place): string {
  const { memoryMb, placedMemoryMb, capacity, cellId, containers, placed } = cell;
  const heightOf = (mb: number) =>
    round((size * Math.min(mb, capacity.memoryMb)) / Math.max(1, capacity.memoryMb));
  const before = heightOf(memoryMb - placedMemoryMb);
  const all = Math.max(before, heightOf(memoryMb));
  const words = `${cellId}: ${percent(memoryMb / Math.max(1, capacity.memoryMb))} of ${whole(capacity.memoryMb)} MB, ${containers} containers, ${placed} of them placed`;
  const rectangle = (top: number, height: number, fill: string) =>
    height > 0 &&
    `<rect x="${x}" y="${round(top)}" width="${size}" height="${round(height)}" fill="${fill}"/>`;
  return [
    `<g><title>${escape(words)}</title>`,
    rectangle(y, size, EMPTY),
    rectangle(y + size - before, before, BEFORE),
    rectangle(y + size - all, all - before, PLACED),
    `<rect x="${x}" y="${y}" width="${size}" height="${size}" fill="none" stroke="${LINE}"/>`,
    size >= 34 &&
      text(x + size / 2, y + size / 2 + 4, String(containers), {
        size: 11,
        weight: 700,
        anchor: 'middle',
        halo: true,
      }),
    '</g>',
  ]
    .filter((part) => part !== false)
    .join('');
}

function dot({ memoryMb, capacity }: CellReport, { x, y, size }: Place): string {
  const share = Math.min(1, memoryMb / Math.max(1, capacity.memoryMb));
  const fill = RAMP[Math.round(share * (RAMP.length - 1))] ?? EMPTY;
  return `<rect x="${x}" y="${y}" width="${size}" height="${size}" fill="${fill}"/>`;
}

/** Large enough to be read, small enough that all cells fit into a few rows. */
function tileSize(cells: number): number {
  const area = ((INNER - LABEL) * 420) / Math.max(1, cells);
  return Math.max(3, Math.min(44, Math.floor(Math.sqrt(area)) - (area > 200 ? 4 : 1)));
}

const BINS = 50;

/** How many cells are how full. */
function histogramBlock({ cells, memoryFill }: SimulationReport): Block {
  const counts = Array.from({ length: BINS }, () => 0);
  for (const { memoryMb, capacity } of cells) {
    const share = memoryMb / Math.max(1, capacity.memoryMb);
    const bin = Math.max(0, Math.min(BINS - 1, Math.floor(share * BINS)));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  const [x0, width, height, top] = [MARGIN + LABEL, INNER - LABEL, 90, 16];
  const step = width / BINS;
  const most = Math.max(1, ...counts);
  const bars = counts.map((count, at) => {
    const bar = (height * count) / most;
    return count === 0
      ? ''
      : `<rect x="${round(x0 + at * step + 1)}" y="${round(top + height - bar)}" width="${round(step - 2)}" height="${round(bar)}" rx="2" fill="${PLACED}"><title>${whole(count)} cells from ${(at * 100) / BINS} to ${((at + 1) * 100) / BINS} %</title></rect>`;
  });
  const mean = x0 + Math.min(1, memoryFill.mean) * width;
  const ticks = [0, 25, 50, 75, 100].map((tick) =>
    text(x0 + (tick * width) / 100, top + height + 18, `${tick} %`, {
      size: 11,
      fill: MUTED,
      anchor: 'middle',
    }),
  );
  return {
    svg: [
      text(MARGIN, top + 14, 'Cells by fill', { size: 15, weight: 700 }),
      text(MARGIN, top + 32, `tallest: ${whole(most)} cells`, { size: 12, fill: MUTED }),
      ...bars,
      `<line x1="${x0}" y1="${top + height}" x2="${x0 + width}" y2="${top + height}" stroke="${MUTED}"/>`,
      `<line x1="${round(mean)}" y1="${top - 6}" x2="${round(mean)}" y2="${top + height}" stroke="${INK}" stroke-dasharray="4 3"/>`,
      text(Math.min(mean, x0 + width - 40), top - 10, `mean ${percent(memoryFill.mean)}`, {
        size: 11,
        anchor: 'middle',
      }),
      ...ticks,
    ].join(''),
    height: top + height + 50,
  };
}

interface TextStyle {
  size: number;
  weight?: number;
  fill?: string;
  anchor?: 'start' | 'middle' | 'end';
  /** A white rim, for text on colours. */
  halo?: boolean;
}

function text(x: number, y: number, words: string, style: TextStyle): string {
  const { size, weight = 400, fill = INK, anchor = 'start', halo = false } = style;
  const rim = halo ? ' paint-order="stroke" stroke="#ffffff" stroke-width="3" stroke-linejoin="round"' : '';
  return `<text x="${round(x)}" y="${round(y)}" font-size="${size}" font-weight="${weight}" fill="${fill}" text-anchor="${anchor}"${rim}>${escape(words)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text as it may stand in markup. */
export function escape(words: string): string {
  return words.replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}
