import { createParser } from 'eventsource-parser';
import type { EventSourceMessage } from 'eventsource-parser';

/**
 * Puts server-sent events together from pieces of text.
 *
 * A frame that has an id and no data is no event, but it moves the place to resume from (HTML standard, 9.2.6); bbs
 * begins each stream with one. eventsource-parser drops such frames, so they are noticed here: they come out, in order,
 * as messages with empty data.
 */
export class MessageParser {
  private complete: EventSourceMessage[] = [];
  private readonly parser = createParser({ onEvent: (message) => void this.complete.push(message) });
  private unfinishedLine = '';
  private idOfFrame?: string;
  private frameHasData = false;

  /** The messages that `text` completed. */
  feed(text: string): EventSourceMessage[] {
    const lines = (this.unfinishedLine + text).split('\n');
    this.unfinishedLine = lines.pop() ?? '';
    for (const line of lines) {
      this.parser.feed(`${line}\n`);
      this.notice(line.replace(/\r$/, ''));
    }
    const { complete } = this;
    this.complete = [];
    return complete;
  }

  private notice(line: string): void {
    if (line.startsWith('id:')) this.idOfFrame = line.slice(3).trim();
    else if (line.startsWith('data:')) this.frameHasData = true;
    else if (line === '') {
      if (this.idOfFrame && !this.frameHasData) this.complete.push({ id: this.idOfFrame, data: '' });
      this.idOfFrame = undefined;
      this.frameHasData = false;
    }
  }
}
