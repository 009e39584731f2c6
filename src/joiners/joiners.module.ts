import { Module } from '@nestjs/common';
import { BrakesModule } from '../brakes/brakes.module.js';
import { CasesModule } from '../cases/cases.module.js';
import { PeopleModule } from '../people/people.module.js';
import { JoinersService } from './joiners.service.js';

@Module({ imports: [PeopleModule, CasesModule, BrakesModule], providers: [JoinersService], exports: [JoinersService] })
export class JoinersModule {}
