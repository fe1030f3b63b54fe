/** A line of the engine's answer to a pull. */
export interface PullLine {
  status?: string;
  /** Of a layer. */
  id?: string;
  progressDetail?: { current?: number; total?: number };
  error?: string;
}

/** Between two reports of a pull that goes on (Nomad's docker driver). */
const INTERVAL_MS = 10_000;
const UNITS = ['B', 'K', 'M', 'G', 'T'];

/** Follows a pull and puts it into words now and then, for everybody who waits for it. */
export class PullProgress {
  private readonly layers = new Map<string, { current: number; total: number; isThere: boolean }>();
  private readonly listeners = new Set<(text: string) => void>();
  private saidAt: number;
  private hasBegun = false;

  constructor(
    private readonly reference: string,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.saidAt = now();
  }

  /** Tells everything from its beginning on, or from how it stands. */
  tell(listener: (text: string) => void): void {
    this.listeners.add(listener);
    if (this.hasBegun) listener(`Pulling image ${this.reference}: ${this.state()}`);
  }

  begin(): void {
    this.hasBegun = true;
    this.say(`Pulling image ${this.reference}`);
  }

  take({ status, id, progressDetail }: PullLine): void {
    const layer = id === undefined ? undefined : this.layerOf(id, status);
    if (layer !== undefined) {
      if (status === 'Downloading') {
        layer.current = progressDetail?.current ?? layer.current;
        layer.total = progressDetail?.total ?? layer.total;
      } else if (
        status === 'Download complete' ||
        status === 'Pull complete' ||
        status === 'Already exists'
      ) {
        layer.current = layer.total;
        layer.isThere = true;
      }
    }
    if (this.now() - this.saidAt < INTERVAL_MS) return;
    this.saidAt = this.now();
    this.say(`Pulling image ${this.reference}: ${this.state()}`);
  }

  done(): void {
    const bytes = this.total('total');
    this.say(`Pulled image ${this.reference}${bytes === 0 ? '' : ` (${inWords(bytes)})`}`);
  }

  private say(text: string): void {
    for (const listener of this.listeners) listener(text);
  }

  private state(): string {
    const all = [...this.layers.values()];
    const there = all.filter(({ isThere }) => isThere).length;
    return `${there} of ${all.length} layers, ${inWords(this.total('current'))} of ${inWords(this.total('total'))}`;
  }

  private total(field: 'current' | 'total'): number {
    return [...this.layers.values()].reduce((sum, layer) => sum + layer[field], 0);
  }

  /** Layers announce themselves; other lines have ids as well, such as the tag. */
  private layerOf(id: string, status = '') {
    const known = this.layers.get(id);
    if (known !== undefined || !/^(Pulling fs layer|Waiting|Already exists)$/.test(status)) return known;
    const layer = { current: 0, total: 0, isThere: false };
    this.layers.set(id, layer);
    return layer;
  }
}

function inWords(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= 1_024 && unit < UNITS.length - 1; unit += 1) value /= 1_024;
  return `${unit === 0 ? value : value.toFixed(1)}${UNITS[unit]}`;
}
