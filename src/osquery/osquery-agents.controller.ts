import { Body, Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { PinoLogger } from 'nestjs-pino';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { databaseNow } from '../platform/database/database-now.js';
import { inTransaction } from '../platform/database/transaction.js';
import { Idempotent } from '../platform/http/idempotent.js';
import { requestIdOf } from '../platform/http/request-id.js';
import { FailedSignIns } from '../platform/rate-limits/failed-sign-ins.service.js';
import { TooManyRequests } from '../platform/rate-limits/too-many-requests.js';
import { Public } from '../platform/sign-in/who-may-call.js';
import { EnrolNode } from './enrol-node.service.js';
import {
  ConfigAnswer,
  EnrollAnswer,
  EnrollRequest,
  LogRequest,
  machineIn,
  NodeAnswer,
  NodeRequest,
  ReadAnswer,
  WriteRequest,
} from './osquery-agents-views.js';
import type { OsqueryNode } from './osquery-node.entity.js';
import { OsqueryNodes } from './osquery-nodes.service.js';
import { agentConfig, urgentQueries } from './queries.js';
import { readLog, readWritten } from './read-log.js';
import { TakeOutcomes } from './take-outcomes.service.js';

/**
 * osquery's remote API, as its own TLS plugins speak it. A wrong secret or key is answered by 200 and `node_invalid`, as
 * osquery's reference server does (`tools/tests/test_http_server.py`): an agent reads it in no other answer.
 */
@ApiTags('osquery agents')
@Controller('v1/osquery')
export class OsqueryAgentsController {
  constructor(
    private readonly db: DataSource,
    private readonly enrolling: EnrolNode,
    private readonly nodes: OsqueryNodes,
    private readonly outcomes: TakeOutcomes,
    private readonly failedSignIns: FailedSignIns,
    private readonly log: PinoLogger,
  ) {}

  @Post('enroll')
  @HttpCode(200)
  @Public()
  @Idempotent('never-stored')
  @ApiOperation({ summary: 'An agent enrols with its batch’s secret; a machine that is enrolled already is refused' })
  @ApiOkResponse({ standardSchema: EnrollAnswer })
  async enroll(
    @Body({ schema: EnrollRequest }) body: z.infer<typeof EnrollRequest>,
    @Req() request: Request,
  ): Promise<z.infer<typeof EnrollAnswer>> {
    const enrolled = await this.enrolling.enrol(body.enroll_secret, machineIn(body), {
      via: 'rest',
      requestId: requestIdOf(request),
      ...(request.ip !== undefined && { address: request.ip }),
    });
    if ('nodeKey' in enrolled) return { node_key: enrolled.nodeKey, node_invalid: false };
    this.log.info({ because: enrolled.refused, address: request.ip }, 'an osquery agent was not enrolled');
    // Whoever has the right secret tries nothing.
    if (enrolled.refused === 'unknown secret') await this.slowDown(request);
    return { node_invalid: true };
  }

  @Post('config')
  @HttpCode(200)
  @Public()
  @Idempotent('never-stored')
  @ApiOperation({ summary: 'What an agent looks at, and how often' })
  @ApiOkResponse({ standardSchema: ConfigAnswer })
  async config(
    @Body({ schema: NodeRequest }) { node_key }: z.infer<typeof NodeRequest>,
    @Req() request: Request,
  ): Promise<z.infer<typeof ConfigAnswer>> {
    const known = await this.asNode(node_key, request, async () => undefined);
    return known ? { ...agentConfig(), node_invalid: false } : { node_invalid: true };
  }

  @Post('log')
  @HttpCode(200)
  @Public()
  @Idempotent('never-stored')
  @ApiOperation({ summary: 'What an agent saw on schedule, and what failed' })
  @ApiOkResponse({ standardSchema: NodeAnswer })
  async takeLog(
    @Body({ schema: LogRequest }) { node_key, log_type, data }: z.infer<typeof LogRequest>,
    @Req() request: Request,
  ): Promise<z.infer<typeof NodeAnswer>> {
    const known = await this.asNode(node_key, request, (tx, node) =>
      this.outcomes.take(tx, node, readLog(log_type, data)),
    );
    return { node_invalid: !known };
  }

  @Post('distributed/read')
  @HttpCode(200)
  @Public()
  @Idempotent('never-stored')
  @ApiOperation({ summary: 'What an agent is asked at once' })
  @ApiOkResponse({ standardSchema: ReadAnswer })
  async read(
    @Body({ schema: NodeRequest }) { node_key }: z.infer<typeof NodeRequest>,
    @Req() request: Request,
  ): Promise<z.infer<typeof ReadAnswer>> {
    const asked = { now: false };
    const known = await this.asNode(node_key, request, async (_tx, { askedAt }) => {
      asked.now = askedAt !== null;
    });
    // Older agents fail without `queries`, empty or not.
    return { ...(asked.now ? urgentQueries() : { queries: {} }), node_invalid: !known };
  }

  @Post('distributed/write')
  @HttpCode(200)
  @Public()
  @Idempotent('never-stored')
  @ApiOperation({ summary: 'What came of that; a status other than 0 is a failure and never an empty answer' })
  @ApiOkResponse({ standardSchema: NodeAnswer })
  async write(
    @Body({ schema: WriteRequest }) { node_key, ...written }: z.infer<typeof WriteRequest>,
    @Req() request: Request,
  ): Promise<z.infer<typeof NodeAnswer>> {
    const known = await this.asNode(node_key, request, async (tx, node) => {
      await this.outcomes.take(tx, node, readWritten(written, await databaseNow(tx)));
      await this.nodes.answered(tx, node);
    });
    return { node_invalid: !known };
  }

  /** @returns false for a key that opens nothing */
  private async asNode(
    nodeKey: string,
    request: Request,
    work: (tx: EntityManager, node: OsqueryNode) => Promise<void>,
  ): Promise<boolean> {
    const known = await inTransaction(this.db, async (tx) => {
      const node = await this.nodes.checkIn(tx, nodeKey);
      if (node) await work(tx, node);
      return node !== null;
    });
    if (!known) await this.slowDown(request);
    return known;
  }

  private async slowDown(request: Request): Promise<void> {
    const wait = await this.failedSignIns.note('agent', request);
    if (wait > 0) throw new TooManyRequests('Too many agents were refused from this address.', wait);
  }
}
