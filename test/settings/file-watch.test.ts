import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../gateway/kernel/system-clock.ts';
import { FileWatch } from '../../gateway/settings/file-watch.ts';

/** A folder, and what was told of the files in it. */
class Watching {
  readonly folder = mkdtempSync(join(tmpdir(), 'headgate-test-'));
  readonly watch: FileWatch;
  changes = 0;
  #told = Promise.withResolvers<void>();

  constructor(context: TestContext) {
    this.watch = new FileWatch({
      onChange: () => {
        this.changes += 1;
        this.#told.resolve();
        this.#told = Promise.withResolvers();
      },
      clock: systemClock,
    });
    context.after(() => {
      this.watch.close();
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, text: string): void {
    writeFileSync(this.path(name), text);
  }

  /** Does something, and resolves when a change has been told. */
  async toldOf(act: () => void): Promise<void> {
    const told = this.#told.promise;
    act();
    await told;
  }
}

test('a file that is written to, replaced, removed and back again is told of each time', async (context) => {
  const watching = new Watching(context);
  watching.write('gateway.yaml', 'one');
  watching.watch.add(watching.path('gateway.yaml'));
  await watching.toldOf(() => watching.write('gateway.yaml', 'two'));
  await watching.toldOf(() => {
    watching.write('other', 'six');
    renameSync(watching.path('other'), watching.path('gateway.yaml'));
  });
  await watching.toldOf(() => unlinkSync(watching.path('gateway.yaml')));
  await watching.toldOf(() => watching.write('gateway.yaml', 'two'));
  assert.equal(watching.changes, 4);
});

test('what is written in several goes is told of once, and what goes on beside it not at all', async (context) => {
  const watching = new Watching(context);
  watching.write('gateway.yaml', 'one');
  watching.watch.add(watching.path('gateway.yaml'));
  watching.write('other', 'beside it');
  await watching.toldOf(() => {
    for (const text of ['', 't', 'tw', 'two']) watching.write('gateway.yaml', text);
  });
  assert.equal(watching.changes, 1);
});

test('a link in the folder that is exchanged, as Kubernetes does, is told of', async (context) => {
  const watching = new Watching(context);
  for (const version of ['..1', '..2']) {
    mkdirSync(watching.path(version));
    watching.write(join(version, 'gateway.yaml'), version);
  }
  symlinkSync('..1', watching.path('..data'));
  symlinkSync(join('..data', 'gateway.yaml'), watching.path('gateway.yaml'));
  watching.watch.add(watching.path('gateway.yaml'));
  await watching.toldOf(() => {
    symlinkSync('..2', watching.path('..data_tmp'));
    renameSync(watching.path('..data_tmp'), watching.path('..data'));
    rmSync(watching.path('..1'), { recursive: true });
  });
  await watching.toldOf(() => watching.write('..2/gateway.yaml', 'written to where it is'));
});

test('a folder above the file that is exchanged is told of, and watched in its turn', async (context) => {
  const watching = new Watching(context);
  for (const version of ['1', '2']) {
    mkdirSync(watching.path(version));
    watching.write(join(version, 'gateway.yaml'), version);
  }
  symlinkSync('1', watching.path('current'));
  watching.watch.add(watching.path('current/gateway.yaml'));
  await watching.toldOf(() => {
    symlinkSync('2', watching.path('next'));
    renameSync(watching.path('next'), watching.path('current'));
  });
  await watching.toldOf(() => watching.write('2/gateway.yaml', 'again'));
});

test('a folder that goes and comes back ends nothing', async (context) => {
  const watching = new Watching(context);
  mkdirSync(watching.path('conf'));
  watching.write('conf/gateway.yaml', 'one');
  watching.watch.add(watching.path('conf/gateway.yaml'));
  await watching.toldOf(() => rmSync(watching.path('conf'), { recursive: true }));
  await watching.toldOf(() => {
    mkdirSync(watching.path('conf'));
    watching.write('conf/gateway.yaml', 'two');
  });
});

test('files are watched from the moment they are added, together, and being added is no change', async (context) => {
  const watching = new Watching(context);
  watching.write('gateway.yaml', 'one');
  watching.write('token', 'secret');
  watching.watch.add(watching.path('gateway.yaml'));
  watching.watch.add(watching.path('token'));
  await watching.toldOf(() => watching.write('token', 'another'));
  await watching.toldOf(() => watching.write('gateway.yaml', 'two'));
  assert.equal(watching.changes, 2);
});
