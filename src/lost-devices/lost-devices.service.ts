import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AccountsService } from '../accounts/accounts.service.js';
import { Brakes } from '../brakes/brakes.service.js';
import { HeldWork, type LetGo } from '../brakes/held-work.service.js';
import { AccessPlanning } from '../cases/access-planning.service.js';
import { CredentialsService } from '../accounts/credentials.service.js';
import { Case, type CaseScope } from '../cases/case.entity.js';
import { CasesService, type OpenCase } from '../cases/cases.service.js';
import { CutPlanning } from '../cases/cut-planning.service.js';
import { HeldSteps } from '../cases/held-steps.service.js';
import type { StepPlan } from '../cases/step-plan.js';
import { EFFECT_OF, type StepAct } from '../cases/step-states.js';
import { Device } from '../devices/device.entity.js';
import { DevicesService, type LostDevice } from '../devices/devices.service.js';
import { ObservationsService, type AgedObservation } from '../devices/observations.service.js';
import { Replacements } from '../devices/spares/replacements.service.js';
import { PeopleService } from '../people/people.service.js';
import { databaseNow } from '../platform/database/database-now.js';
import { queryRows } from '../platform/database/query-rows.js';
import { inTransaction } from '../platform/database/transaction.js';
import { Problem } from '../platform/errors/problem.js';
import { reaches } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Losses } from './losses.service.js';
import { planDeviceCut } from './plan-device-cut.js';
import type { Runbook } from './runbook/runbook-schema.js';
import { Runbooks } from './runbook/runbooks.service.js';
import { planRestoration } from './plan-restoration.js';
import { frozenVolumes } from './unlocks.js';

/** Any one of them names the device: at 3 a.m. people have a sticker, a serial number or an id. */
export interface DeviceNamed {
  deviceId?: string | undefined;
  assetTag?: string | undefined;
  serial?: string | undefined;
}

/** What a report would do: cut all of the holder's access, or only what this device holds. */
export interface LossPreview {
  device: Device;
  /** What the runbook proposes. */
  scope: Runbook['scope'] | null;
  diskEncryption: AgedObservation | null;
  personId: string;
  person: WouldBeDone[];
  deviceOnly: WouldBeDone[];
}

/** One step that a report would plan. */
interface WouldBeDone {
  tool: string;
  /** Null: a look for whatever else there is. */
  username: string | null;
  act: StepAct;
}

/** A laptop is lost: its holder's access is cut at once; and given back when they have another one. */
@Injectable()
export class LostDevicesService implements OnModuleInit {
  constructor(
    private readonly db: DataSource,
    private readonly people: PeopleService,
    private readonly devices: DevicesService,
    private readonly replacements: Replacements,
    private readonly cases: CasesService,
    private readonly cut: CutPlanning,
    private readonly access: AccessPlanning,
    private readonly accounts: AccountsService,
    private readonly credentials: CredentialsService,
    private readonly brakes: Brakes,
    private readonly heldSteps: HeldSteps,
    private readonly heldWork: HeldWork,
    private readonly losses: Losses,
    private readonly observations: ObservationsService,
    private readonly runbooks: Runbooks,
  ) {}

  onModuleInit(): void {
    this.heldWork.register('restorations', (tx, work, actor) => this.carryOutRestoration(tx, work, actor));
  }

  /**
   * Answers the case. A second report of the same loss answers the first one's case and changes nothing.
   * @param loss.holderId whose device it has to be: without it, whoever's it is
   * @throws Problem `not-found`; `conflict` when nobody has it, or somebody else than `holderId`
   */
  async report(
    { scope = 'person', holderId, ...named }: DeviceNamed & { scope?: CaseScope; holderId?: string },
    note: string | undefined,
    actor: Actor,
  ): Promise<{ caseId: string; again: boolean }> {
    return inTransaction(this.db, async (tx) => {
      const device = await findDevice(tx, actor, named);
      if (device.holderId === null) throw nobodyHasIt();
      if (holderId !== undefined && device.holderId !== holderId) {
        throw new Problem('conflict', `${device.assetTag} is in somebody else’s name: nothing was reported.`);
      }
      await this.people.lock(tx, device.holderId);
      const earlier = await this.openLoss(tx, device.id, scope);
      if (earlier) return { caseId: earlier.id, again: true };
      return { caseId: await this.begin(tx, scope, device.holderId, device.id, note, actor), again: false };
    });
  }

  /** As `report`, for somebody who reads a name off a sticker and doesn't know which kind it is. */
  async reportByName(
    name: string,
    { scope, note }: { scope: CaseScope; note: string | undefined },
    actor: Actor,
  ): Promise<{ caseId: string; again: boolean }> {
    return this.report({ ...(await this.named(name)), scope }, note, actor);
  }

  async previewByName(name: string, actor: Actor): Promise<LossPreview> {
    return this.preview(await this.named(name), actor);
  }

  private async named(name: string): Promise<DeviceNamed> {
    return (await this.db.manager.existsBy(Device, { assetTag: name })) ? { assetTag: name } : { serial: name };
  }

  private async begin(
    tx: EntityManager,
    scope: CaseScope,
    personId: string,
    deviceId: string,
    note: string | undefined,
    actor: Actor,
  ): Promise<string> {
    const lost = await this.devices.markLost(tx, actor, deviceId);
    if (lost.device.holderId !== personId) {
      throw new Problem('conflict', 'The device was given to somebody else just now. Look again, then report it.');
    }
    const opened = {
      kind: 'lost_device',
      lane: 'emergency',
      scope,
      personId,
      deviceId,
      actor,
      facts: { ...frozen(lost), ...(note !== undefined && { note }) },
    } as const;
    const caseId =
      scope === 'device'
        ? await this.cases.open(tx, {
            ...opened,
            generation: (await this.people.lock(tx, personId)).generation,
            steps: await this.planForDevice(tx, personId, deviceId),
          })
        : await this.cutPerson(tx, opened);
    await this.losses.begin(tx, { caseId, personId, deviceId, scope, wasAway: lost.wasAway });
    // Another report of the same loss: what replaces it is kept since the first one.
    if (!lost.wasAway) await this.replacements.begin(tx, actor, { caseId, lostDeviceId: deviceId, personId });
    return caseId;
  }

  private async cutPerson(tx: EntityManager, opened: Omit<OpenCase, 'generation' | 'steps'>): Promise<string> {
    const { personId } = opened;
    await this.cases.supersedeGrants(tx, personId, 'The person lost a device.');
    const generation = await this.people.nextGeneration(tx, personId);
    const steps = await this.cut.plan(tx, personId);
    return this.cases.open(tx, { ...opened, generation, hold: 'lost_device', steps });
  }

  private async planForDevice(tx: EntityManager, personId: string, deviceId: string): Promise<StepPlan[]> {
    const accounts = await this.accounts.forPerson(tx, personId);
    return planDeviceCut(accounts, await this.credentials.namesOfDevice(tx, deviceId));
  }

  /** What a report would do, in either scope, with nothing written. @throws Problem as `report` */
  async preview(named: DeviceNamed, actor: Actor): Promise<LossPreview> {
    const tx = this.db.manager;
    const device = await findDevice(tx, actor, named);
    if (device.holderId === null) throw nobodyHasIt();
    return {
      device,
      scope: (await this.runbooks.active(tx))?.document.scope ?? null,
      diskEncryption: await this.observations.latest(tx, device.id, 'disk_encryption'),
      personId: device.holderId,
      person: await inWords(tx, await this.cut.preview(tx, device.holderId)),
      deviceOnly: await inWords(tx, await this.planForDevice(tx, device.holderId, device.id)),
    };
  }

  /**
   * What was reported of this machine since its holder lost it: a loss whose hold still stands, or one of the device only,
   * unless all of the person is to be cut now. Whose it was before, and lost, is another loss.
   */
  private async openLoss(tx: EntityManager, deviceId: string, scope: CaseScope): Promise<Case | null> {
    const newest = await tx
      .createQueryBuilder(Case, 'c')
      // As the device is now that the person is locked: somebody may have reported it while this one waited.
      .innerJoin(Device, 'd', `d.id = c.deviceId AND d.holderId = c.personId AND d.state IN ('lost', 'stolen')`)
      .where(`c.deviceId = :deviceId AND c.kind = 'lost_device'`, { deviceId })
      .orderBy('c.openedAt', 'DESC')
      .limit(1)
      .getOne();
    if (!newest) return null;
    if (newest.scope === 'device') return scope === 'device' ? newest : null;
    const holds = await this.cases.standingHolds(tx, newest.personId);
    return holds.some(({ caseId }) => caseId === newest.id) ? newest : null;
  }

  /**
   * Gives access back after a loss: lifts this loss's hold and no other, and restores what the policy grants, each
   * account with new credentials first. With a replacement device it is given out in the same decision. Beyond the limit
   * of whoever asks for it, it is planned and held, and so is the loss's own hold.
   *
   * @throws Problem `not-found`; `conflict` when the loss was lifted before, or a brake holds its restoration
   */
  async restore(
    lossCaseId: string,
    replacementDeviceId: string | undefined,
    actor: Actor,
  ): Promise<{ caseId: string; stillHeld: string[]; held: boolean }> {
    return inTransaction(this.db, async (tx) => {
      const loss = await tx.findOneBy(Case, { id: lossCaseId, kind: 'lost_device' });
      if (!loss || !(await reaches(tx, actor, 'whole person', loss.personId))) {
        throw new Problem('not-found', 'There is no lost-device case with this id.');
      }
      const person = await this.people.lock(tx, loss.personId);
      const holds = await this.cases.standingHolds(tx, person.id);
      const { release, stillHeld, mayGrant } = planRestoration({ lossCaseId: loss.id, status: person.status, holds });
      if (release.length === 0) throw new Problem('conflict', 'Access was given back for this loss before.');
      // The case names it, so it has to be there; whether it may be given out is seen below.
      if (replacementDeviceId !== undefined) await this.devices.get(tx, replacementDeviceId);
      const change = { kind: 'restorations', actor, personId: person.id } as const;
      const verdict = await this.brakes.admit(tx, change);
      const earlier = verdict.held.find(({ kind }) => kind === 'restorations');
      if (earlier) {
        throw new Problem('conflict', `A brake holds a restoration of this person's access: ${earlier.caseId}.`);
      }
      const held = !verdict.passes && mayGrant;
      await this.cases.supersedeGrants(tx, person.id, 'Access is given back after a loss.');
      const generation = await this.people.nextGeneration(tx, person.id);
      const plan = mayGrant ? await this.access.plan(tx, person, generation, await databaseNow(tx)) : undefined;
      const caseId = await this.cases.open(tx, {
        kind: 'restoration',
        lane: 'standard',
        personId: person.id,
        parentCaseId: loss.id,
        generation,
        actor,
        steps: plan?.steps ?? [],
        ...(replacementDeviceId !== undefined && { deviceId: replacementDeviceId }),
        ...(plan && { policyVersionId: plan.policyVersionId }),
        facts: { stillHeld, unknownTools: plan?.unknownTools ?? [] },
        held,
      });
      await this.brakes.replaced(tx, verdict.held);
      if (held) {
        // Nothing is given back yet, and nothing is to be: the accounts stay as the hold wants them.
        await this.cut.plan(tx, person.id);
        await this.brakes.hold(tx, change, caseId);
        return { caseId, stillHeld: holds.map(({ reason }) => reason), held };
      }
      await this.cases.releaseHolds(
        tx,
        release.map(({ id }) => id),
        caseId,
        actor,
      );
      if (replacementDeviceId !== undefined) {
        await this.devices.assign(tx, actor, replacementDeviceId, person.id, caseId);
      }
      return { caseId, stillHeld, held };
    });
  }

  /** A restoration that a brake held is done after all. */
  private async carryOutRestoration(
    tx: EntityManager,
    { caseId, personId, approved }: LetGo,
    actor: Actor,
  ): Promise<void> {
    await this.people.lock(tx, personId);
    const { parentCaseId, deviceId } = await tx.findOneByOrFail(Case, { id: caseId });
    const given = (await this.heldSteps.of(tx, caseId)).filter(({ act }) => EFFECT_OF[act] === 'grant');
    await this.accounts.setDesired(
      tx,
      given.flatMap(({ accountId }) => accountId ?? []),
      'active',
    );
    const holds = await this.cases.standingHolds(tx, personId);
    const lifted = holds.filter((hold) => hold.caseId === parentCaseId).map(({ id }) => id);
    await this.cases.releaseHolds(tx, lifted, caseId, actor);
    await this.heldSteps.letGo(tx, caseId, approved);
    if (deviceId !== null) await this.devices.assign(tx, actor, deviceId, personId, caseId);
  }
}

async function inWords(tx: EntityManager, plans: readonly StepPlan[]): Promise<WouldBeDone[]> {
  return queryRows<WouldBeDone>(
    tx,
    `SELECT t.name AS tool, a.username, p.act
     FROM ROWS FROM (jsonb_to_recordset($1::jsonb) AS ("toolId" uuid, "accountId" uuid, act text)) WITH ORDINALITY AS p ("toolId", "accountId", act, place)
     JOIN tools t ON t.id = p."toolId" LEFT JOIN accounts a ON a.id = p."accountId" ORDER BY p.place`,
    [JSON.stringify(plans)],
  );
}

function nobodyHasIt(): Problem {
  return new Problem(
    'conflict',
    'Nobody has this device, so there is no access to cut. If it is missing from the shelf, retire it.',
  );
}

async function findDevice(
  tx: EntityManager,
  actor: Actor,
  { deviceId, assetTag, serial }: DeviceNamed,
): Promise<Device> {
  const device = await tx.findOneBy(Device, {
    ...(deviceId !== undefined && { id: deviceId }),
    ...(assetTag !== undefined && { assetTag }),
    ...(serial !== undefined && { serial }),
  });
  if (!device || !(await reaches(tx, actor, 'held device', device.id))) {
    throw new Problem('not-found', 'No device has this id, asset tag or serial number.');
  }
  return device;
}

/** What was known at the moment of the report, with its age: what a breach assessment asks for later. */
function frozen({ device, diskEncryption, imageVersion, lastOnline }: LostDevice): Record<string, unknown> {
  return {
    assetTag: device.assetTag,
    serial: device.serial,
    imageVersionId: device.imageVersionId,
    diskEncryption: knowledge(diskEncryption),
    imageVersion: knowledge(imageVersion),
    lastOnline: knowledge(lastOnline),
  };
}

function knowledge(observation: AgedObservation | null): Record<string, unknown> {
  if (!observation) return { value: 'unknown', because: 'nobody ever looked' };
  const { value, source, observedAt, ageSeconds, details, volumes } = observation;
  const { protectors } = details;
  return {
    value,
    source,
    observedAt: observedAt.toISOString(),
    ageSeconds,
    ...(volumes !== null && { volumes: frozenVolumes(volumes) }),
    ...(protectors !== undefined && { protectors }),
  };
}
