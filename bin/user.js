// Gives a user without an entry in the system's list of users (`docker run --user 1234`) a home and a shell, the home that
// Docker gives too. oclif and what it imports ask the system if the environment names none, and fail if there is no entry.
import { homedir, userInfo } from 'node:os'

for (const [name, ask, value] of [
  ['HOME', homedir, '/'],
  ['SHELL', userInfo, '/bin/sh'],
])
  try {
    if (process.env[name] === undefined) ask()
  } catch {
    process.env[name] = value
  }
