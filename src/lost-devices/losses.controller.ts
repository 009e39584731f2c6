import { Body, Controller, Get, HttpCode, Param, Patch, Post } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { ApprovalView, approvalView } from '../approvals/approvals-views.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { FreshSignIn } from '../platform/sign-in/fresh-sign-in.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { COMMAND_STATES } from './command-states.js';
import { ContainmentService } from './containment.service.js';
import { ASSESSMENTS, AWAKE } from './loss.entity.js';
import { LossReader } from './loss-reader.service.js';
import { LossView, lossView } from './losses-views.js';
import { Losses } from './losses.service.js';
import { CONTAINMENTS } from './runbook/runbook-schema.js';
import { UnlockMachine } from './unlock-machine.service.js';

const Reference = z.string().trim().min(1).max(200).nullable();
const Reason = z.string().trim().min(3).max(2_000);

const LossNote = z
  .strictObject({
    awareAt: z.iso
      .datetime({ offset: true })
      .optional()
      .describe('When somebody in the company came to know of it, if that was before the report. Never later.'),
    awake: z.enum(AWAKE).optional().describe('Whether it was awake and unlocked when it was lost.'),
    legalHold: z.boolean().optional().describe('Nothing on it may be destroyed.'),
    policeReference: Reference.optional(),
    insuranceReference: Reference.optional(),
  })
  .refine((word) => Object.keys(word).length > 0, {
    error: 'one of awareAt, awake, legalHold, policeReference and insuranceReference is needed',
  });

const DecideContainment = z.strictObject({
  decision: z.enum(CONTAINMENTS).describe('lock and leave count at once; a wipe needs another person.'),
  reason: Reason,
});
const ContainmentDecided = z.object({
  loss: LossView,
  approval: ApprovalView.nullable().describe(
    'What another person has to approve within 30 minutes; null: it is decided.',
  ),
});

const UnlockWish = z.strictObject({
  reason: Reason.describe('How you know that it is back, and in whose hands.'),
});

const CommandProgress = z.strictObject({
  state: z
    .enum(COMMAND_STATES)
    .exclude(['ordered', 'superseded'])
    .describe('What was seen; risk_accepted: it never came online, and you answer for that by name.'),
  note: z.string().trim().min(3).max(2_000).describe('What you saw, and where.'),
});

const CompleteTask = z.strictObject({ note: z.string().trim().min(3).max(5_000) });
const Assess = z.strictObject({ decision: z.enum(ASSESSMENTS), reason: Reason });

const CaseId = z.uuid();

@ApiTags('lost devices')
@Controller('v1/lost-devices/:caseId')
export class LossesController {
  constructor(
    private readonly losses: Losses,
    private readonly containment: ContainmentService,
    private readonly unlockMachine: UnlockMachine,
    private readonly reader: LossReader,
  ) {}

  @Get()
  @Allow('cases:read', 'within-reach')
  @ApiOperation({ summary: 'Where a loss stands: tasks, proposal, decision, orders, worksheet' })
  @ApiOkResponse({ standardSchema: LossView })
  async one(
    @Param('caseId', { schema: CaseId }) caseId: string,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof LossView>> {
    return lossView(await this.reader.inFull(actor, caseId));
  }

  /** Answers nothing of the loss: who may report isn't for that one who may read cases. */
  @Patch()
  @HttpCode(204)
  @Allow('lost-devices:report', 'within-reach')
  @ApiOperation({ summary: 'Say what you learn of the machine after the report' })
  @ApiNoContentResponse({ description: 'Kept. Reading the loss takes cases:read.' })
  async note(
    @Param('caseId', { schema: CaseId }) caseId: string,
    @Body({ schema: LossNote }) body: z.infer<typeof LossNote>,
    @CurrentActor() actor: Actor,
  ): Promise<void> {
    const { awareAt, ...word } = body;
    await this.containment.note(actor, caseId, {
      ...given(word),
      ...(awareAt !== undefined && { awareAt: new Date(awareAt) }),
    });
  }

  @Post('containment')
  @HttpCode(200)
  @Allow('lost-devices:decide', 'within-reach')
  @FreshSignIn()
  @ApiOperation({ summary: 'Decide whether the machine is locked, wiped or left' })
  @ApiOkResponse({ standardSchema: ContainmentDecided })
  async contain(
    @Param('caseId', { schema: CaseId }) caseId: string,
    @Body({ schema: DecideContainment }) { decision, reason }: z.infer<typeof DecideContainment>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof ContainmentDecided>> {
    const approval = await this.containment.decide(actor, caseId, decision, reason);
    return { loss: await this.one(caseId, actor), approval: approval && approvalView(approval) };
  }

  @Post('unlock')
  @HttpCode(200)
  @Allow('lost-devices:decide', 'within-reach')
  @FreshSignIn()
  @ApiOperation({ summary: 'Order that a machine that is back is unlocked: by one person, not by whoever lost it' })
  @ApiOkResponse({ standardSchema: LossView })
  async unlock(
    @Param('caseId', { schema: CaseId }) caseId: string,
    @Body({ schema: UnlockWish }) { reason }: z.infer<typeof UnlockWish>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof LossView>> {
    await this.unlockMachine.order(actor, caseId, reason);
    return this.one(caseId, actor);
  }

  @Post('commands/:id/progress')
  @HttpCode(200)
  @Allow('lost-devices:decide', 'within-reach')
  @FreshSignIn()
  @ApiOperation({ summary: 'Say what you saw of an order to lock, unlock or wipe' })
  @ApiOkResponse({ standardSchema: LossView })
  async progress(
    @Param('caseId', { schema: CaseId }) caseId: string,
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: CommandProgress }) body: z.infer<typeof CommandProgress>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof LossView>> {
    await this.containment.progress(actor, caseId, id, body);
    return this.one(caseId, actor);
  }

  @Post('tasks/:task/complete')
  @HttpCode(204)
  @Allow('lost-devices:report', 'within-reach')
  @ApiOperation({ summary: 'End a task that ends by somebody’s word' })
  @ApiNoContentResponse()
  async complete(
    @Param('caseId', { schema: CaseId }) caseId: string,
    @Param('task', { schema: z.string().max(50) }) task: string,
    @Body({ schema: CompleteTask }) { note }: z.infer<typeof CompleteTask>,
    @CurrentActor() actor: Actor,
  ): Promise<void> {
    await this.losses.complete(actor, caseId, task, note);
  }

  @Post('assessment')
  @HttpCode(200)
  @Allow('lost-devices:decide', 'within-reach')
  @FreshSignIn()
  @ApiOperation({ summary: 'Decide whether the breach is notified; the worksheet is kept as it is now' })
  @ApiOkResponse({ standardSchema: LossView })
  async assess(
    @Param('caseId', { schema: CaseId }) caseId: string,
    @Body({ schema: Assess }) { decision, reason }: z.infer<typeof Assess>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof LossView>> {
    await this.losses.assess(actor, caseId, decision, reason);
    return this.one(caseId, actor);
  }
}

/** Without what wasn't said: that stays as it is. */
function given<T extends object>(word: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(word).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
