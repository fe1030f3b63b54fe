/**
 * What Rivera is measured against, section by section (docs/conformance.md says what each is about). A test belongs to
 * every section whose number stands in its name or in that of a describe around it.
 */
export interface Section {
  /** As in the names of the tests, e.g. `3.4`. */
  number: string;
  subject: string;
  /** The section is a numbered list up to here; each item `number.item` needs a test or a reason. */
  items?: number;
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
    name: 'Cell',
    files: /\/(cell|garden)-[^/]*\.spec\.ts$/,
    sections: [
      {
        number: '8',
        subject: 'the cell',
        items: 95,
        without: {
          83: 'placements come through a cell’s own mailbox: there is no work for another cell',
          85: 'the self-check of a cell is not there yet',
          86: 'told by the stories of drained cells in test/e2e; the rules are BBS 3.5',
          87: 'told by the stories of drained cells in test/e2e; the rules are BBS 3.5',
          89: 'presence is told in BBS 6.3; the agent goes on without it, see the chaos tests',
          93: 'instances get no certificates',
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
