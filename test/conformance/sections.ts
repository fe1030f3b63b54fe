/**
 * What Rivera is measured against, section by section (docs/conformance.md says what each is about). A test belongs to
 * every section whose number stands in its name or in that of a describe around it.
 */
export interface Section {
  /** As in the names of the tests, e.g. `3.4`. */
  number: string;
  subject: string;
  /** The section is a list with these numbers; each item `number.item` needs a test or a reason. */
  items?: readonly [first: number, last: number];
  /** Items without a test, and why. */
  without?: Record<number, string>;
}

export interface Reference {
  name: string;
  /** The spec files of `test/conformance` whose numbers are of this reference. */
  files: RegExp;
  sections: readonly Section[];
}

export const REFERENCES: readonly Reference[] = [
  {
    name: 'BBS',
    files: /\/(lifecycle|http|presence)[^/]*\.spec\.ts$/,
    sections: [
      { number: '3.2', subject: 'allowed transitions of actual LRPs' },
      { number: '3.3', subject: 'claim, start, remove, retire' },
      { number: '3.4', subject: 'crash and restart policy' },
      { number: '3.5', subject: 'evacuation' },
      { number: '3.7', subject: 'tasks' },
      { number: '4.1', subject: 'validation' },
      { number: '4.2', subject: 'desire' },
      { number: '4.3', subject: 'update' },
      { number: '4.4', subject: 'remove' },
      { number: '4.5', subject: 'reads' },
      { number: '4.6', subject: 'domains and freshness' },
      { number: '4.7', subject: 'events and their order' },
      { number: '5.1', subject: 'convergence of LRPs' },
      { number: '5.2', subject: 'convergence of tasks' },
      { number: '6.1', subject: 'locks' },
      { number: '6.2', subject: 'users of locks' },
      { number: '6.3', subject: 'presence of cells' },
      { number: '12.1', subject: 'who may move an instance' },
      { number: '12.2', subject: 'invariants' },
      { number: '12.3', subject: 'quirks of the original, mended' },
    ],
  },
  {
    name: 'Placement',
    files: /\/placement[^/]*\.spec\.ts$/,
    sections: [
      { number: '3.3', subject: 'simulated scenarios of the original' },
      { number: '3.5', subject: 'larger simulated scenarios' },
      {
        number: '7.1',
        subject: 'the scheduler',
        items: [1, 35],
        without: {
          17: 'cells refuse later, by a report: auctioneer.spec.ts, work that no cell takes',
          19: 'failures are not logged one by one: the reason is on the record, and explained when asked',
          24: 'cells refuse later, by a report: BBS 3.7, placement of tasks',
        },
      },
      {
        number: '7.2',
        subject: 'scores of cells',
        items: [36, 56],
        without: {
          53: 'a cell that was given nothing is told nothing: cell-messages.spec.ts of the auctioneer',
          54: 'one message a cell with all it was given: cell-messages.spec.ts of the auctioneer',
          55: 'a refusal is a report of the cell, and placed again: auctioneer.spec.ts',
          56: 'a message that is lost leaves the placement for its deadline: cell-messages.spec.ts, and BBS 5.1',
        },
      },
      {
        number: '7.3',
        subject: 'zones and batches',
        items: [57, 70],
        without: {
          57: 'cells are not asked for their state: the picture follows the store',
          59: 'cells are not asked for their state: the picture follows the store',
          60: 'cells are not asked for their state: the picture follows the store',
          61: 'cells are not asked for their state: the picture follows the store',
          63: 'there is no batch to fill: new work is read from the event log',
          64: 'there is no batch to fill: new work is read from the event log',
          65: 'there is no batch to fill: new work is read from the event log',
          66: 'there is no batch to fill: new work is read from the event log',
          69: 'nothing is lost while an auction runs: auctioneer.spec.ts, P10',
          70: 'presence is not asked for: the picture follows the store',
        },
      },
      {
        number: '7.4',
        subject: 'what cells offer, and what matches',
        items: [71, 78],
        without: { 78: 'the cell finds the root filesystem of a stack: garden-docker.spec.ts, and Cell 8' },
      },
      {
        number: '7.7',
        subject: 'the process of the auctioneer',
        items: [99, 105],
        without: {
          99: 'it takes no requests over HTTP: new work is read from the event log',
          100: 'it takes no requests over HTTP: new work is read from the event log',
          101: 'it takes no requests over HTTP: new work is read from the event log',
          103: 'cells are reached by their mailboxes: no client of a cell is built',
          105: 'it listens to nobody: mailboxes are on Redis',
        },
      },
      { number: '7.8', subject: 'properties' },
    ],
  },
  {
    name: 'Cell',
    files: /\/(cell|garden)-[^/]*\.spec\.ts$/,
    sections: [
      {
        number: '8',
        subject: 'the cell',
        items: [1, 95],
        without: {
          94: 'told by the stories of exec in test/e2e',
        },
      },
    ],
  },
  {
    name: 'Wire',
    files: /\/wire[^/]*\.spec\.ts$/,
    sections: [
      { number: '1.1', subject: 'envelope, errors, transport' },
      { number: '1.2', subject: 'routes' },
      { number: '1.3', subject: 'deprecated routes' },
      { number: '1.4', subject: 'event streams' },
      { number: '1.5', subject: 'filters of event streams' },
      { number: '1.7', subject: 'golden vectors' },
      { number: '2.1', subject: 'messages as bytes' },
      { number: '6.1', subject: 'locket over gRPC' },
      { number: '6.2', subject: 'locks of the active ones' },
      { number: '6.3', subject: 'presences of cells' },
      { number: '8.1', subject: 'states of cells, for cfdot' },
    ],
  },
];
