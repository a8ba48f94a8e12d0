import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ModelRevisions, revisionOf } from '../../gateway/balance/model-revisions.ts';
import type { Standing } from '../../gateway/balance/replica-state.ts';

interface Said {
  readonly standing?: Standing;
  readonly says?: string;
}

/** Replicas that have been asked about the model `m`, and what they said. */
function replicas(...all: readonly Said[]) {
  return all.map(({ standing = 'ready', says }) => {
    const revisions = new ModelRevisions();
    revisions.of('m');
    if (says !== undefined) revisions.learn('m', says);
    return { state: { revisions, standing } };
  });
}

describe('what a replica says of its models', () => {
  it('is asked for from when it is first wanted, and not known until it is said', () => {
    const revisions = new ModelRevisions();
    assert.deepEqual(revisions.models, []);
    assert.equal(revisions.of('m'), null);
    assert.deepEqual(revisions.models, ['m']);
    revisions.learn('m', 'a');
    assert.equal(revisions.of('m'), 'a');
    revisions.learn('m', '');
    assert.equal(revisions.of('m'), '');
  });

  it('is no more than was asked for', () => {
    const revisions = new ModelRevisions();
    revisions.learn('m', 'a');
    assert.equal(revisions.of('m'), null);
  });

  it('is bounded: what was wanted first is forgotten, and asked for again', () => {
    const revisions = new ModelRevisions();
    for (let n = 0; n <= 100; n++) {
      revisions.of(`m${n}`);
      revisions.learn(`m${n}`, 'a');
    }
    assert.equal(revisions.models.length, 100);
    assert.equal(revisions.of('m100'), 'a');
    assert.equal(revisions.of('m0'), null);
    assert.equal(revisions.models.at(-1), 'm0');
  });
});

describe('what the replicas of a backend say together', () => {
  const cases: readonly [claim: string, all: readonly Said[], revision: string | null][] = [
    ['is what all of them say', [{ says: 'a' }, { says: 'a' }], 'a'],
    ['is all that any of them says, in whatever order', [{ says: 'b' }, { says: 'a' }, { says: 'b' }], 'a,b'],
    ['is not known while one that gets requests has not said it', [{ says: 'a' }, {}], null],
    [
      'is known without those that get none and never said it',
      [{ says: 'a' }, { standing: 'starting' }, { standing: 'unready' }],
      'a',
    ],
    [
      'goes on when they are away, by what they last said',
      [
        { says: 'a', standing: 'unready' },
        { says: 'b', standing: 'unready' },
      ],
      'a,b',
    ],
    ['is nothing where they tell nothing', [{ says: '' }, { says: '' }], ''],
    ['is another thing where only some tell nothing', [{ says: '' }, { says: 'a' }], ',a'],
    ['is not known where there are none that have said anything', [{ standing: 'starting' }], null],
    ['is not known where there are none', [], null],
  ];
  for (const [claim, all, revision] of cases) {
    it(claim, () => assert.equal(revisionOf(replicas(...all), 'm'), revision));
  }

  it('is asked of each of them, also behind one that has not said it', () => {
    const all = replicas({}, {});
    assert.equal(revisionOf(all, 'n'), null);
    for (const { state } of all) assert.deepEqual(state.revisions.models, ['m', 'n']);
  });
});
