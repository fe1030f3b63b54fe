import type { Codec } from '#rivera/diego-wire';
import type { RiveraEvent } from '#rivera/models';

/** An event as one kind of stream tells it. */
export interface WireEvent {
  type: string;
  /** The message in base64. */
  data: string;
}

/** How one kind of stream tells what happens; one for each stream, as it may have to remember what it was told. */
export interface Dialect {
  /** @param emit is told the events, at once or a moment later */
  tell(event: RiveraEvent, emit: (event: WireEvent) => void): void;
}

export function wireEvent<T>(type: string, codec: Codec<T>, message: T): WireEvent {
  return { type, data: codec.encode(message).toString('base64') };
}

/** Each event is encoded once, however many streams tell it. */
export function rememberingEvents(
  translate: (event: RiveraEvent) => WireEvent | undefined,
): (event: RiveraEvent) => WireEvent | undefined {
  const known = new WeakMap<RiveraEvent, { event: WireEvent | undefined }>();
  return (event) => {
    let entry = known.get(event);
    if (entry === undefined) known.set(event, (entry = { event: translate(event) }));
    return entry.event;
  };
}

/** A stream that tells every event by itself. */
export function plainDialect(translate: (event: RiveraEvent) => WireEvent | undefined): Dialect {
  return {
    tell(event, emit) {
      const told = translate(event);
      if (told !== undefined) emit(told);
    },
  };
}
