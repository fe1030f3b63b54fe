import * as wire from '#rivera/diego-wire';
import type { ActualLRP, RiveraEvent } from '#rivera/models';
import { wireActualLRP } from '../mapping/actual-lrps.js';
import { type Dialect, type WireEvent, wireEvent } from './dialect.js';
import type { LRPEvents } from './event-messages.js';

type Emit = (event: WireEvent) => void;

/**
 * The deprecated streams, to whose clients an instance is its index: an index that is UNCLAIMED again has changed. Rivera
 * tells that as created and removed, one right after the other, because an instance is its instance key as well; so what
 * is created is held back until the rest of what was committed with it has been told.
 */
export class GroupDialect implements Dialect {
  private held: ActualLRP | undefined;

  /** @param common what streams of instances tell in the same way */
  constructor(private readonly common: LRPEvents['common']) {}

  tell(event: RiveraEvent, emit: Emit): void {
    const { held } = this;
    if (event.type === 'actual_lrp_removed' && held !== undefined && isSameIndex(event.before, held)) {
      this.held = undefined;
      emit(changed(event.before, held));
      return;
    }
    this.release(emit);
    if (event.type === 'actual_lrp_created' && event.after.state === 'UNCLAIMED') {
      this.held = event.after;
      queueMicrotask(() => this.release(emit));
      return;
    }
    const told = groupEvent(event) ?? this.common(event);
    if (told !== undefined) emit(told);
  }

  private release(emit: Emit): void {
    const { held } = this;
    this.held = undefined;
    if (held !== undefined) emit(created(held));
  }
}

/** One record in the place of its presence: a group has room for an instance and for one that evacuates. */
export function groupOf(actual: ActualLRP): wire.ActualLRPGroup {
  const message = wireActualLRP(actual);
  return actual.presence === 'EVACUATING' ? { evacuating: message } : { instance: message };
}

function isSameIndex(a: ActualLRP, b: ActualLRP): boolean {
  return a.processGuid === b.processGuid && a.index === b.index && a.presence === 'ORDINARY';
}

function created(actual: ActualLRP): WireEvent {
  return wireEvent('actual_lrp_created', wire.ActualLRPCreatedEvent, { actualLrpGroup: groupOf(actual) });
}

function changed(before: ActualLRP, after: ActualLRP): WireEvent {
  return wireEvent('actual_lrp_changed', wire.ActualLRPChangedEvent, {
    before: groupOf(before),
    after: groupOf(after),
  });
}

function groupEvent(event: RiveraEvent): WireEvent | undefined {
  switch (event.type) {
    case 'actual_lrp_created':
      return created(event.after);
    case 'actual_lrp_changed':
      return changed(event.before, event.after);
    case 'actual_lrp_removed':
      return wireEvent(event.type, wire.ActualLRPRemovedEvent, { actualLrpGroup: groupOf(event.before) });
    default:
      return undefined;
  }
}
