import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * The images that agents of this cell have pulled, and when each was last used. Kept in a file, because the engine notes
 * neither; images that somebody else has put there are not in it and not touched.
 */
export class ImageRecord {
  private isChanged = false;
  private saving: Promise<void> = Promise.resolve();

  private constructor(
    private readonly file: string | undefined,
    private readonly usedAt: Map<string, number>,
  ) {}

  /** A file that cannot be read is as good as none: what it named stays on the engine. Without one nothing is kept. */
  static async open(file: string | undefined): Promise<ImageRecord> {
    if (file === undefined) return new ImageRecord(undefined, new Map());
    const text = await readFile(file, 'utf8').catch(() => '{}');
    return new ImageRecord(file, new Map(Object.entries(parsed(text))));
  }

  /** It was pulled. */
  async add(reference: string): Promise<void> {
    this.usedAt.set(reference, Date.now());
    this.isChanged = true;
    await this.save();
  }

  /** Nothing, when it was not pulled by this cell. */
  use(reference: string): void {
    if (!this.usedAt.has(reference)) return;
    this.usedAt.set(reference, Date.now());
    this.isChanged = true;
  }

  remove(reference: string): void {
    this.isChanged = this.usedAt.delete(reference) || this.isChanged;
  }

  /** The one that was not used for longest first. */
  get leastRecentlyUsed(): string[] {
    return [...this.usedAt].toSorted(([, a], [, b]) => a - b).map(([reference]) => reference);
  }

  /** Writes what has changed since. */
  async save(): Promise<void> {
    this.saving = this.saving.then(() => this.write());
    await this.saving;
  }

  private async write(): Promise<void> {
    if (!this.isChanged || this.file === undefined) return;
    this.isChanged = false;
    await mkdir(dirname(this.file), { recursive: true });
    await writeFile(`${this.file}.part`, JSON.stringify(Object.fromEntries(this.usedAt)));
    await rename(`${this.file}.part`, this.file);
  }
}

function parsed(text: string): Record<string, number> {
  try {
    const found: unknown = JSON.parse(text);
    if (typeof found !== 'object' || found === null) return {};
    return Object.fromEntries(
      Object.entries(found).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
    );
  } catch {
    return {};
  }
}
