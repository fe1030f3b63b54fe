import { defineConfig } from 'vitest/config';

const conditions = ['@rivera/source'];
const shared = {
  resolve: { conditions },
  ssr: { resolve: { conditions } },
};
const settings = {
  globals: true,
  setupFiles: ['test/support/setup.ts'],
  hookTimeout: 120_000,
};

/** They replace modules (`vi.mock`), which are to be as they were for all others. */
const REPLACING = ['test/conformance/cell-health.spec.ts'];

export default defineConfig({
  ...shared,
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    reporters: ['default', './test/support/closing-line.reporter.ts'],
    projects: [
      {
        ...shared,
        test: {
          ...settings,
          name: 'unit',
          include: [
            'apps/**/*.spec.ts',
            'libs/**/*.spec.ts',
            'test/conformance/**/*.spec.ts',
            'test/support/**/*.spec.ts',
            'test/chaos/**/*.spec.ts',
          ],
          exclude: REPLACING,
          testTimeout: 60_000,
          maxWorkers: 2,
          // Loading Nest anew for each file would take longer than the tests: what a file changes in a module, it undoes.
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        ...shared,
        test: {
          ...settings,
          name: 'unit-isolated',
          include: REPLACING,
          testTimeout: 60_000,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        ...shared,
        test: {
          ...settings,
          name: 'e2e',
          include: ['test/e2e/**/*.e2e-spec.ts', 'test/chaos/**/*.e2e-spec.ts'],
          testTimeout: 120_000,
          // One cluster at a time: they share the machine and its Docker Engine.
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
