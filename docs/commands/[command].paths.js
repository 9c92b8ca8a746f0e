import { commands, pageOf } from '../.vitepress/commands.js'

export default {
  paths: () =>
    commands().map((command) => ({ params: { command: command.id.replaceAll(' ', '-') }, content: pageOf(command) })),
}
