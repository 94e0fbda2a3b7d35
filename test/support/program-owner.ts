/** Owns a program until it is killed: `program-owner.ts PROGRAM ARGUMENT…`; prints the program's pid. */
import { SupervisedProgram } from '../../src/programs/supervised-program.ts'
import { silentLogger } from './logger.ts'

const [program = '', ...args] = process.argv.slice(2)
const owned = new SupervisedProgram({ programs: [program], args, logFile: null }, silentLogger)
owned.start()
process.stdout.write(`${owned.state.pid}\n`)
