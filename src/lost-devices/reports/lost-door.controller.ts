import { Body, Controller, Get, Header, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { FailedSignIns } from '../../platform/rate-limits/failed-sign-ins.service.js';
import { NeverLimited } from '../../platform/rate-limits/never-limited.js';
import { originOf } from '../../platform/sign-in/origin.js';
import { Public } from '../../platform/sign-in/who-may-call.js';
import { LossReports } from './loss-reports.service.js';
import { lostPage, nothingToReportPage, reportedPage, surePage, toldPage } from './lost-pages.js';
import { OwnLosses } from './own-losses.service.js';

/** PostgreSQL's text has no place for it. */
const withoutNul = (text: string): string => text.replaceAll('\0', '');
const Typed = z.string().max(1_000).transform(withoutNul);
/** An input that was left empty is sent as an empty text. */
const Optional = (limit: number) =>
  z
    .string()
    .trim()
    .max(limit)
    .optional()
    .transform((text) => withoutNul(text ?? '') || undefined);

const CodeForm = z.object({ code: Typed });
const SureForm = z.object({ code: Typed, deviceId: z.uuid(), words: Optional(1_000) });
const ToldForm = z.object({
  email: z.email().max(254),
  assetTag: Optional(100),
  phone: Optional(40),
  words: Optional(1_000),
});

const WRONG_CODE = 'This code is not right, or was used. Look at it again, or go on without it below.';
const WRONG_TOO_OFTEN = 'Too many wrong codes came from this network. Wait a minute, or go on without a code below.';
const NOT_THEIRS = 'This laptop is not in your name any more. Look again.';
const NO_ADDRESS = 'Type your e-mail address at work, as in name@example.com.';
const TOO_MANY = 'Too many reports wait already. Call IT.';

/** Where people report their own lost laptop, from any telephone: no sign-in, no script, nothing to install. */
@ApiExcludeController()
@Controller('lost')
export class LostDoorController {
  constructor(
    private readonly reports: LossReports,
    private readonly own: OwnLosses,
    private readonly failedSignIns: FailedSignIns,
  ) {}

  @Get()
  @Public()
  @Header('Cache-Control', 'no-store')
  show(@Res() response: Response): void {
    response.type('html').send(lostPage());
  }

  /** Shows whose code it is, what they have, and what would happen. Uses nothing up. */
  @Post('code')
  @Public()
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Header('Referrer-Policy', 'no-referrer')
  async look(@Body() body: unknown, @Req() request: Request, @Res() response: Response): Promise<void> {
    const form = CodeForm.safeParse(body);
    const found = await this.open(form.data?.code, request, response);
    if (!found || !form.success) return;
    response.type('html').send(found.devices.length === 0 ? nothingToReportPage() : surePage(form.data.code, found));
  }

  @Post('confirm')
  @Public()
  @HttpCode(200)
  @NeverLimited()
  @Header('Cache-Control', 'no-store')
  @Header('Referrer-Policy', 'no-referrer')
  async confirm(@Body() body: unknown, @Req() request: Request, @Res() response: Response): Promise<void> {
    const form = SureForm.safeParse(body);
    const found = await this.open(form.data?.code, request, response);
    if (!found || !form.success) return;
    const device = found.devices.find(({ deviceId }) => deviceId === form.data.deviceId);
    if (!device) return again(response, 409, NOT_THEIRS);
    await this.own.report(found.holder, device.deviceId, form.data.words, originOf(request));
    response.type('html').send(reportedPage(device.assetTag));
  }

  @Post('report')
  @Public()
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  async tell(@Body() body: unknown, @Req() request: Request, @Res() response: Response): Promise<void> {
    const form = ToldForm.safeParse(body);
    if (!form.success) return again(response, 400, NO_ADDRESS);
    if (!(await this.reports.tell(form.data, originOf(request)))) return again(response, 429, TOO_MANY);
    response.type('html').send(toldPage());
  }

  /** Null: it is no good code, and the page says so. A right one is never in the way of others that are tried. */
  private async open(code: string | undefined, request: Request, response: Response): ReturnType<OwnLosses['look']> {
    const found = code === undefined ? null : await this.own.look(code);
    if (found) return found;
    const wait = await this.failedSignIns.note('lost', request);
    if (wait > 0) again(response.set('Retry-After', String(wait)), 429, WRONG_TOO_OFTEN);
    else again(response, 403, WRONG_CODE);
    return null;
  }
}

function again(response: Response, status: number, problem: string): void {
  response.status(status).type('html').send(lostPage(problem));
}
