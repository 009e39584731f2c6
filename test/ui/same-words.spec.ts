import { describe, expect, it } from 'vitest';
import { TOOL_ERROR_KINDS } from '../../connectors/kit/errors.js';
import { OBSERVED_STATES } from '../../src/accounts/account.entity.js';
import { BRAKE_KINDS } from '../../src/brakes/decide-brake.js';
import { ATTEMPT_OUTCOMES } from '../../src/cases/attempt.entity.js';
import { CASE_KINDS, STEP_ACTS, STEP_STATES } from '../../src/cases/step-states.js';
import { DISK_ENCRYPTION_VALUES } from '../../src/devices/device-observation.entity.js';
import { CHANGED_STATES, DEVICE_STATES, mayBecome } from '../../src/devices/device-states.js';
import { ENCRYPTION_STATES, PROTECTORS, VOLUME_ROLES } from '../../src/devices/encryption/encryption-states.js';
import { LINE_OUTCOMES } from '../../src/devices/imports/plan-import.js';
import { CONDITIONS, NEXT_RETURN_STATES, RETURN_STATES, WIPED } from '../../src/devices/returns/return-states.js';
import { SIGNED_HOW } from '../../src/devices/acknowledgements/device-acknowledgement.entity.js';
import { INBOX_OUTCOMES } from '../../src/hr-feeds/inbox-event.entity.js';
import { IMAGE_CHANNELS, NEXT_IMAGE_CHANNELS } from '../../src/images/image-channels.js';
import { IMAGE_CONTENT_STATES } from '../../src/images/image-content.entity.js';
import { MEDIUM_STATES } from '../../src/images/medium-states.js';
import { IMAGING_CHECKS } from '../../src/imagings/device-imaging.entity.js';
import { DRIFT_FINDINGS } from '../../src/imagings/image-drift.js';
import { COMMAND_STATES, NEXT_COMMAND_STATES } from '../../src/lost-devices/command-states.js';
import { COMMAND_KINDS } from '../../src/lost-devices/device-command.entity.js';
import { CONFIRMED_HOW } from '../../src/lost-devices/reports/loss-report.entity.js';
import { CONTAINMENTS } from '../../src/lost-devices/runbook/runbook-schema.js';
import { DECISIONS } from '../../src/lost-devices/why-not-decided.js';
import { PERSON_STATUSES } from '../../src/people/person.entity.js';
import { ROTATION_REASONS } from '../../src/recovery-keys/recovery-key-rotation.entity.js';
import { PROTECTED_BY } from '../../src/recovery-keys/recovery-key.entity.js';
import {
  CASE_FILTERS,
  DEVICE_FILTERS,
  HR_FILTERS,
  IMAGE_FILTERS,
  IMPORT_SEARCH,
  PEOPLE_FILTERS,
  RETURN_FILTERS,
} from '../../ui/src/search-params.js';
import { COMMAND_STATE_LOOKS, seenNext } from '../../ui/src/states/command-states.js';
import { GIVEN_FROM, HAND_MOVES, KEPT_FROM } from '../../ui/src/states/device-moves.js';
import { CHANNEL_LOOKS, CHANNEL_MOVES, MEDIUM_LOOKS } from '../../ui/src/states/image-channels.js';
import { RETURN_LOOKS, RETURN_MOVES } from '../../ui/src/states/return-moves.js';
import { STEP_STATE_LOOKS } from '../../ui/src/states/step-states.js';
import { en } from '../../ui/src/text/en.js';

const sorted = (words: Iterable<string>): string[] => [...words].toSorted();

/** A word that the server knows and the interface doesn't would show as nothing at all. */
describe('the user interface', () => {
  it.each([
    ['states of a step, by their looks', STEP_STATES, Object.keys(STEP_STATE_LOOKS)],
    ['states of a step', STEP_STATES, Object.keys(en.states.step)],
    ['acts', STEP_ACTS, Object.keys(en.cases.act)],
    ['kinds of cases', CASE_KINDS, Object.keys(en.cases.kind)],
    ['kinds of cases, to filter by', CASE_KINDS, CASE_FILTERS.kind],
    ['states of a device', DEVICE_STATES, Object.keys(en.devices.state)],
    ['states of a device, to filter by', DEVICE_STATES, DEVICE_FILTERS.state],
    ['states of a disk', DISK_ENCRYPTION_VALUES, Object.keys(en.devices.encryption)],
    ['statuses of people', PERSON_STATUSES, Object.keys(en.people.status)],
    ['statuses of people, to filter by', PERSON_STATUSES, PEOPLE_FILTERS.status],
    ['observed states of an account', OBSERVED_STATES, Object.keys(en.accounts.observed)],
    ['states of an order, by their looks', COMMAND_STATES, Object.keys(COMMAND_STATE_LOOKS)],
    ['states of an order', COMMAND_STATES, Object.keys(en.lostLaptop.orderState)],
    ['kinds of an order', COMMAND_KINDS, Object.keys(en.lostLaptop.orderOf)],
    ['what is decided of a machine', DECISIONS, Object.keys(en.lostLaptop.verb)],
    ['decisions about a lost machine', CONTAINMENTS, Object.keys(en.lostLaptop.decided)],
    ['ways to know who somebody is', CONFIRMED_HOW, Object.keys(en.lossReports.confirmedHow)],
    ['outcomes of a call', ATTEMPT_OUTCOMES, Object.keys(en.cases.outcome)],
    ['kinds of errors of a tool', TOOL_ERROR_KINDS, Object.keys(en.cases.errorKind)],
    ['kinds of recovery keys', PROTECTED_BY, Object.keys(en.devices.protects)],
    ['kinds of brakes', BRAKE_KINDS, Object.keys(en.approvals.kind)],
    ['outcomes of HR events', INBOX_OUTCOMES, Object.keys(en.hrEvents.outcome)],
    ['outcomes of HR events, to filter by', INBOX_OUTCOMES, HR_FILTERS.outcome],
    ['states of encryption', ENCRYPTION_STATES.filter((one) => !(one in en.devices.encryption)), []],
    ['roles of volumes', VOLUME_ROLES, Object.keys(en.encryption.role)],
    ['protectors of volumes', PROTECTORS, Object.keys(en.encryption.protector)],
    ['ways to sign for a device', SIGNED_HOW, Object.keys(en.signatures.how)],
    ['kinds of recovery keys', PROTECTED_BY, Object.keys(en.devices.protects)],
    ['reasons to replace a key', ROTATION_REASONS, Object.keys(en.recoveryKeys.rotationAsked)],
    ['states of a return', RETURN_STATES, Object.keys(en.returns.state)],
    ['states of a return, by their looks', RETURN_STATES, Object.keys(RETURN_LOOKS)],
    ['states of a return, to filter by', RETURN_STATES, RETURN_FILTERS.state],
    ['conditions of what came back', CONDITIONS, Object.keys(en.returns.condition)],
    ['answers whether it is wiped', WIPED, Object.keys(en.returns.wiped)],
    ['outcomes of imported lines', LINE_OUTCOMES, IMPORT_SEARCH.outcome],
    ['channels of images', IMAGE_CHANNELS, Object.keys(en.images.channel)],
    ['channels of images, by their looks', IMAGE_CHANNELS, Object.keys(CHANNEL_LOOKS)],
    ['channels of images, to filter by', IMAGE_CHANNELS, IMAGE_FILTERS.channel],
    ['states of an image’s content', IMAGE_CONTENT_STATES, Object.keys(en.images.content)],
    ['states of a stick', MEDIUM_STATES, Object.keys(MEDIUM_LOOKS)],
    ['checks of an imaging', IMAGING_CHECKS, Object.keys(en.imaging.verified)],
    ['findings about an image', DRIFT_FINDINGS, Object.keys(en.imaging.finding)],
  ])('knows exactly the server’s %s', (_what, known, shown) => expect(sorted(shown)).toEqual(sorted(known)));

  it.each(DEVICE_STATES)('offers exactly what the server lets a device that is %s become', (state) => {
    expect(sorted(HAND_MOVES[state])).toEqual(sorted(CHANGED_STATES.filter((to) => mayBecome(state, to))));
    expect(GIVEN_FROM.includes(state)).toBe(mayBecome(state, 'assigned'));
    expect(KEPT_FROM.includes(state)).toBe(mayBecome(state, 'reserved'));
  });

  it('offers exactly what the server lets a return and a version of an image become', () => {
    expect(RETURN_MOVES).toEqual(NEXT_RETURN_STATES);
    expect(CHANNEL_MOVES).toEqual(NEXT_IMAGE_CHANNELS);
  });

  it.each(COMMAND_STATES)(
    'offers exactly what the server lets an order that is %s become by somebody’s word',
    (state) => {
      const told = NEXT_COMMAND_STATES[state].filter((next) => next !== 'superseded');
      expect(sorted(seenNext(state))).toEqual(sorted(told));
    },
  );
});
