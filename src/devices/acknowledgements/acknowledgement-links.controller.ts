import { Controller, Get, Header, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { DataSource } from 'typeorm';
import { Config } from '../../platform/config/config.js';
import { inTransaction } from '../../platform/database/transaction.js';
import { answerPage } from '../../platform/http/one-time-page.js';
import { originOf } from '../../platform/sign-in/origin.js';
import { Public } from '../../platform/sign-in/who-may-call.js';
import { signedPage, signPage } from './acknowledgement-pages.js';
import { Acknowledgements } from './acknowledgements.service.js';

/** What a person sees who opens the link to sign for their device; most of them can't sign in here. */
@ApiExcludeController()
@Controller('acknowledgement-links')
export class AcknowledgementLinksController {
  constructor(
    private readonly db: DataSource,
    private readonly acknowledgements: Acknowledgements,
    private readonly config: Config,
  ) {}

  /** Looks without using it up: chat apps and mail scanners open each link they see. */
  @Get(':token')
  @Public()
  @Header('Cache-Control', 'no-store')
  @Header('Referrer-Policy', 'no-referrer')
  async show(@Param('token') token: string, @Res() response: Response): Promise<void> {
    await answerPage(response, async () => signPage(await this.acknowledgements.look(this.db.manager, token)));
  }

  @Post(':token')
  @Public()
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Header('Referrer-Policy', 'no-referrer')
  async sign(@Param('token') token: string, @Req() request: Request, @Res() response: Response): Promise<void> {
    await answerPage(response, async () => {
      const { reportCode } = await inTransaction(this.db, (tx) =>
        this.acknowledgements.signByLink(tx, token, originOf(request)),
      );
      return signedPage(reportCode, `${this.config.publicUrl}/lost`);
    });
  }
}
