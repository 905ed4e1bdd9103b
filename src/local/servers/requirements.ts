/** Programs that the servers are built or run with, and the command that brings each (Debian). */
import type { Requirement } from './types.js';

// Debian 12 itself has Go 1.19; from 1.21 on, Go fetches the newer toolchain that a module asks for.
export const GO: Requirement = {
  command: 'go',
  install: 'apt-get install -y golang-go (Go >= 1.21; on Debian 12: -t bookworm-backports)',
};
export const JAVA: Requirement = { command: 'java', install: 'apt-get install -y openjdk-17-jre-headless' };
export const MAVEN: Requirement = { command: 'mvn', install: 'apt-get install -y maven' };
