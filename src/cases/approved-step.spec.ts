import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InstallationKey } from '../platform/crypto/installation-key.js';
import { sealPlace, sealStep, takesApproval, whyNotApproved, type StepContent } from './approved-step.js';

const key = new InstallationKey(randomBytes(32));
const text = fc.string({ maxLength: 8 });
const steps: fc.Arbitrary<StepContent> = fc.record({
  stepId: text,
  personId: text,
  toolId: text,
  accountId: fc.option(text),
  act: fc.constantFrom('grant', 'create_account', 'restore_account', 'reset_credentials'),
  generation: fc.integer(),
  username: text,
  mark: text,
  grant: fc.option(fc.record({ kind: fc.constantFrom('group', 'role'), name: text })),
  externalId: fc.option(text),
});
const approval = { approvalId: 'a', planHash: 'b'.repeat(64) };
function approved(step: StepContent, by = key) {
  const seal = sealStep(by, approval, step);
  return { needsApproval: true, approval: { ...approval, seal, place: sealPlace(by, seal, step.externalId) } };
}

describe('a grant that a brake had held', () => {
  it('is sent as it was approved, and not with any part of it otherwise', () => {
    fc.assert(
      fc.property(steps, steps, (step, other) => {
        expect(whyNotApproved(key, approved(step), step)).toBeNull();
        for (const field of Object.keys(step) as (keyof StepContent)[]) {
          const changed = { ...step, [field]: other[field] };
          // Of an account that the case makes nobody knew where it would be.
          const isUnknown = field === 'externalId' && step.externalId === null;
          const isSame = isUnknown || JSON.stringify(changed) === JSON.stringify(step);
          expect(whyNotApproved(key, approved(step), changed) === null).toBe(isSame);
        }
      }),
    );
  });

  it('is not sent without an approval, with half of one, or with one that another key made', () => {
    const [step] = fc.sample(steps, 1);
    if (!step) throw new Error('a sample of one');
    expect(whyNotApproved(key, { needsApproval: true }, step)).toContain('nobody has approved it');
    expect(whyNotApproved(key, { approval: { approvalId: 'a' } }, step)).toContain('nobody has approved it');
    expect(whyNotApproved(key, approved(step, new InstallationKey(randomBytes(32))), step)).toContain(
      'isn’t what would',
    );
  });

  it('is not sent to another place, whichever part of the seal is taken off or put on from another step', () => {
    fc.assert(
      fc.property(
        steps,
        steps,
        fc.constantFrom('grant', 'restore_account', 'reset_credentials'),
        (step, other, act) => {
          const [restore, theirs] = [
            { ...step, act, externalId: 'here' },
            { ...other, act, externalId: 'there' },
          ];
          fc.pre(step.stepId !== other.stepId);
          const { approval: its } = approved(restore);
          const elsewhere = { ...restore, externalId: 'there' };
          for (const place of [its.place, approved(theirs).approval.place, { ...its.place, externalId: 'there' }]) {
            expect(whyNotApproved(key, { approval: { ...its, place } }, elsewhere)).toContain('isn’t what would');
          }
          // As the version before let it go: good for what it sealed in full, and for what isn't there yet.
          const { place: _place, ...before } = its;
          expect(whyNotApproved(key, { approval: before }, restore) === null).toBe(act === 'grant');
        },
      ),
    );
  });

  it('that no brake held needs no approval', () => {
    const [step] = fc.sample(steps, 1);
    if (step) expect(whyNotApproved(key, { grant: { kind: 'group', name: 'x' } }, step)).toBeNull();
  });
});

it('an approval is for what gives access and for the credentials it comes back with, and for nothing that takes it', () => {
  const acts = ['create_account', 'grant', 'restore_account', 'reset_credentials'] as const;
  expect(acts.every(takesApproval)).toBe(true);
  const others = ['discover', 'final_look', 'suspend_account', 'withdraw'] as const;
  expect(others.some(takesApproval)).toBe(false);
});
