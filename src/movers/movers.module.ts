import { Module } from '@nestjs/common';
import { BrakesModule } from '../brakes/brakes.module.js';
import { CasesModule } from '../cases/cases.module.js';
import { PeopleModule } from '../people/people.module.js';
import { MoversService } from './movers.service.js';

@Module({ imports: [PeopleModule, CasesModule, BrakesModule], providers: [MoversService], exports: [MoversService] })
export class MoversModule {}
