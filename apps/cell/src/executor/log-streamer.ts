import type { ProcessOutput } from '#rivera/garden';
import { LineSplitter } from './line-splitter.js';
import { LogRateLimiter, type LogRates } from './log-rate-limiter.js';
import type { InstanceLog, LogLine } from './log-sink.js';

/** What the cell itself says about a container. */
const CELL_SOURCE = 'CELL';

/** The output of one process; `flush` hands on a last line that has no line end. */
export interface LineOutput extends ProcessOutput {
  flush(): void;
}

/** Everything one container says (Diego executor, log streamer): cut into lines, held to its rate, handed on. */
export class LogStreamer {
  private readonly limiter: LogRateLimiter;

  constructor(
    private readonly log: InstanceLog,
    rates: LogRates,
    private readonly now: () => number = Date.now,
  ) {
    this.limiter = new LogRateLimiter(rates, (notice) => this.platform('err', notice), now);
  }

  /** Output of a new process. Each process has partial lines of its own; all share the rate. */
  output(source: string): LineOutput {
    const [out, err] = [this.splitter(source, 'out'), this.splitter(source, 'err')];
    return {
      stdout: (chunk) => out.write(chunk),
      stderr: (chunk) => err.write(chunk),
      flush: () => {
        out.flush();
        err.flush();
      },
    };
  }

  /** One line of a source that is no process, such as a progress message; it counts towards the rate. */
  line(source: string, stream: LogLine['stream'], text: string): void {
    if (this.limiter.admit(Buffer.byteLength(text))) this.append(source, stream, text);
  }

  /** What the cell says about the container: never limited. */
  platform(stream: LogLine['stream'], text: string): void {
    this.append(CELL_SOURCE, stream, text);
  }

  close(): void {
    this.log.close();
  }

  private splitter(source: string, stream: LogLine['stream']): LineSplitter {
    return new LineSplitter((line) => {
      if (!this.limiter.admit(line.length)) return false;
      this.append(source, stream, line.toString());
      return true;
    });
  }

  private append(source: string, stream: LogLine['stream'], text: string): void {
    this.log.append({ source, stream, text, timestampMs: this.now() });
  }
}
