import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InstallationKey } from '../platform/crypto/installation-key.js';
import { sealStep, whyNotApproved, type StepContent } from './approved-step.js';

const key = new InstallationKey(randomBytes(32));
const text = fc.string({ maxLength: 8 });
const steps: fc.Arbitrary<StepContent> = fc.record({
  stepId: text,
  personId: text,
  toolId: text,
  accountId: fc.option(text),
  act: fc.constantFrom('grant', 'create_account', 'restore_account'),
  generation: fc.integer(),
  username: text,
  mark: text,
  grant: fc.option(fc.record({ kind: fc.constantFrom('group', 'role'), name: text })),
});
const approval = { approvalId: 'a', planHash: 'b'.repeat(64) };
const approved = (step: StepContent, by = key) => ({
  needsApproval: true,
  approval: { ...approval, seal: sealStep(by, approval, step) },
});

describe('a grant that a brake had held', () => {
  it('is sent as it was approved, and not with any part of it otherwise', () => {
    fc.assert(
      fc.property(steps, steps, (step, other) => {
        expect(whyNotApproved(key, approved(step), step)).toBeNull();
        for (const field of Object.keys(step) as (keyof StepContent)[]) {
          const changed = { ...step, [field]: other[field] };
          const isSame = JSON.stringify(changed) === JSON.stringify(step);
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

  it('that no brake held needs no approval', () => {
    const [step] = fc.sample(steps, 1);
    if (step) expect(whyNotApproved(key, { grant: { kind: 'group', name: 'x' } }, step)).toBeNull();
  });
});
