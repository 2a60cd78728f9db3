import { defineConfig } from 'vitest/config';

const BESIDE_THE_CODE = ['src/**', 'scripts/**', 'web/**', 'bench/**', 'test/harness/**'];

const ENGINE = process.env.CONVOKE_TEST_ENGINE || 'embedded';

/**
 * A room test needs a database and is named `*.room.test.ts`; it runs once per engine, which
 * CONVOKE_TEST_ENGINE names (embedded, postgres18, postgres15). `*.room-embedded.test.ts` and its like
 * run on that engine only, `*.room-server.test.ts` on both servers. An adapter against its simulator is
 * named `*.sim.test.ts`. All other tests beside the code are pure. Files share the modules of their worker, which
 * saves seconds for each: what a test changes in a module or in the process it changes back.
 */
const ROOMS = ['room', `room-${ENGINE}`, ...(ENGINE === 'embedded' ? [] : ['room-server'])];

export default defineConfig({
  test: {
    maxWorkers: 2,
    expect: { requireAssertions: true },
    projects: [
      {
        extends: true,
        test: {
          name: 'pure',
          include: BESIDE_THE_CODE.map(place => `${place}/*.test.{ts,tsx}`),
          exclude: ['**/*.room*.test.ts', '**/*.sim.test.ts', '**/node_modules/**'],
          isolate: false,
          testTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'rooms',
          include: ROOMS.map(kind => `{src,scripts}/**/*.${kind}.test.ts`),
          globalSetup: 'test/harness/rooms-setup.ts',
          isolate: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'sim',
          include: ['sim/**/*.test.ts', 'src/**/*.sim.test.ts', 'test/simulate/**/*.test.ts'],
          isolate: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'crash',
          include: ['test/crash/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'chaos',
          include: ['test/chaos/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 120_000,
        },
      },
      // Last: reads what all programs of the suite have said.
      { extends: true, test: { name: 'canary', include: ['test/canary/**/*.test.ts'] } },
      {
        extends: true,
        test: {
          name: 'journeys',
          include: ['test/journeys/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
