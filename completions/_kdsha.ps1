
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'kdsha' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'kdsha'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'kdsha' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read the configuration from this file')
            [CompletionResult]::new('--pipeline', '--pipeline', [CompletionResultType]::ParameterName, 'Act on this pipeline only; may be given several times')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write results for people or for programs')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colours')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use this profile of the AWS configuration')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: once for the count of requests, twice for each request')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: once for the count of requests, twice for each request')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show where both Regions stand')
            [CompletionResult]::new('failover', 'failover', [CompletionResultType]::ParameterValue, 'Move the pipelines to the other Region')
            [CompletionResult]::new('failback', 'failback', [CompletionResultType]::ParameterValue, 'Move the pipelines back to the primary Region')
            [CompletionResult]::new('verify', 'verify', [CompletionResultType]::ParameterValue, 'Check that this is a sound resting state, from which a failover could run now')
            [CompletionResult]::new('resume', 'resume', [CompletionResultType]::ParameterValue, 'Go on with the unfinished run, or settle what is owed')
            [CompletionResult]::new('runs', 'runs', [CompletionResultType]::ParameterValue, 'List past runs, or show one in full')
            [CompletionResult]::new('report', 'report', [CompletionResultType]::ParameterValue, 'Write a page for the post-mortem of a run')
            [CompletionResult]::new('rehearse', 'rehearse', [CompletionResultType]::ParameterValue, 'Play the whole procedure against the built-in sandbox')
            [CompletionResult]::new('sandbox', 'sandbox', [CompletionResultType]::ParameterValue, 'Serve the built-in sandbox to any AWS client')
            [CompletionResult]::new('policy', 'policy', [CompletionResultType]::ParameterValue, 'Print the least IAM policy that this configuration needs')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a completion script for a shell')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'kdsha;status' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read the configuration from this file')
            [CompletionResult]::new('--pipeline', '--pipeline', [CompletionResultType]::ParameterName, 'Act on this pipeline only; may be given several times')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write results for people or for programs')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colours')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use this profile of the AWS configuration')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Look again until interrupted')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: once for the count of requests, twice for each request')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: once for the count of requests, twice for each request')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kdsha;failover' {
            [CompletionResult]::new('--to', '--to', [CompletionResultType]::ParameterName, 'The Region to move to: the standby of the configuration')
            [CompletionResult]::new('--start-at', '--start-at', [CompletionResultType]::ParameterName, 'Where the standby''s consumer starts, instead of the derived position')
            [CompletionResult]::new('--overlap-buffer', '--overlap-buffer', [CompletionResultType]::ParameterName, 'How far before the derived position the standby''s consumer starts, instead of the configured buffer')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long one wait may take, instead of the configured time-out')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read the configuration from this file')
            [CompletionResult]::new('--pipeline', '--pipeline', [CompletionResultType]::ParameterName, 'Act on this pipeline only; may be given several times')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write results for people or for programs')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colours')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use this profile of the AWS configuration')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show the plan, with every call that would be made, and stop')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer the prompts with yes; lifts no guard')
            [CompletionResult]::new('--emergency', '--emergency', [CompletionResultType]::ParameterName, 'The old Region may not answer: start the standby first, write down what the old Region owes')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: once for the count of requests, twice for each request')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: once for the count of requests, twice for each request')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kdsha;failback' {
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long one wait may take, instead of the configured time-out')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read the configuration from this file')
            [CompletionResult]::new('--pipeline', '--pipeline', [CompletionResultType]::ParameterName, 'Act on this pipeline only; may be given several times')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write results for people or for programs')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colours')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use this profile of the AWS configuration')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show the plan, with every call that would be made, and stop')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer the prompts with yes; lifts no guard')
            [CompletionResult]::new('--skip-stranded', '--skip-stranded', [CompletionResultType]::ParameterName, 'Do not process the records that are stranded in the primary''s stream; they are counted and logged')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: once for the count of requests, twice for each request')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: once for the count of requests, twice for each request')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kdsha;verify' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read the configuration from this file')
            [CompletionResult]::new('--pipeline', '--pipeline', [CompletionResultType]::ParameterName, 'Act on this pipeline only; may be given several times')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write results for people or for programs')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colours')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use this profile of the AWS configuration')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: once for the count of requests, twice for each request')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: once for the count of requests, twice for each request')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kdsha;resume' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read the configuration from this file')
            [CompletionResult]::new('--pipeline', '--pipeline', [CompletionResultType]::ParameterName, 'Act on this pipeline only; may be given several times')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write results for people or for programs')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colours')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use this profile of the AWS configuration')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer the prompts with yes; lifts no guard')
            [CompletionResult]::new('--undo', '--undo', [CompletionResultType]::ParameterName, 'Put back what the unfinished run has changed, instead of going on')
            [CompletionResult]::new('--emergency', '--emergency', [CompletionResultType]::ParameterName, 'Go on with an unfinished failover as an emergency: the old Region may not answer')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: once for the count of requests, twice for each request')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: once for the count of requests, twice for each request')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kdsha;runs' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read the configuration from this file')
            [CompletionResult]::new('--pipeline', '--pipeline', [CompletionResultType]::ParameterName, 'Act on this pipeline only; may be given several times')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write results for people or for programs')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colours')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use this profile of the AWS configuration')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: once for the count of requests, twice for each request')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: once for the count of requests, twice for each request')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kdsha;report' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read the configuration from this file')
            [CompletionResult]::new('--pipeline', '--pipeline', [CompletionResultType]::ParameterName, 'Act on this pipeline only; may be given several times')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write results for people or for programs')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colours')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use this profile of the AWS configuration')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: once for the count of requests, twice for each request')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: once for the count of requests, twice for each request')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kdsha;rehearse' {
            [CompletionResult]::new('--scenario', '--scenario', [CompletionResultType]::ParameterName, 'The story to play; without it, that of the AWS post')
            [CompletionResult]::new('--seed', '--seed', [CompletionResultType]::ParameterName, 'Replay the traffic and the timing of this seed')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read the configuration from this file')
            [CompletionResult]::new('--pipeline', '--pipeline', [CompletionResultType]::ParameterName, 'Act on this pipeline only; may be given several times')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write results for people or for programs')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colours')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use this profile of the AWS configuration')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer the prompts with yes')
            [CompletionResult]::new('--real-time', '--real-time', [CompletionResultType]::ParameterName, 'Let simulated time pass as real time does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: once for the count of requests, twice for each request')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: once for the count of requests, twice for each request')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kdsha;sandbox' {
            [CompletionResult]::new('--listen', '--listen', [CompletionResultType]::ParameterName, 'The loopback address to serve on; port 0 takes a free one')
            [CompletionResult]::new('--speed', '--speed', [CompletionResultType]::ParameterName, 'How many simulated seconds pass in a second, 1 to 3600')
            [CompletionResult]::new('--seed', '--seed', [CompletionResultType]::ParameterName, 'Replay the traffic and the timing of this seed')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read the configuration from this file')
            [CompletionResult]::new('--pipeline', '--pipeline', [CompletionResultType]::ParameterName, 'Act on this pipeline only; may be given several times')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write results for people or for programs')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colours')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use this profile of the AWS configuration')
            [CompletionResult]::new('--empty', '--empty', [CompletionResultType]::ParameterName, 'Begin with an empty account instead of the post''s pipeline')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: once for the count of requests, twice for each request')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: once for the count of requests, twice for each request')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kdsha;policy' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read the configuration from this file')
            [CompletionResult]::new('--pipeline', '--pipeline', [CompletionResultType]::ParameterName, 'Act on this pipeline only; may be given several times')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write results for people or for programs')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colours')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use this profile of the AWS configuration')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: once for the count of requests, twice for each request')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: once for the count of requests, twice for each request')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kdsha;completions' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read the configuration from this file')
            [CompletionResult]::new('--pipeline', '--pipeline', [CompletionResultType]::ParameterName, 'Act on this pipeline only; may be given several times')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write results for people or for programs')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colours')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use this profile of the AWS configuration')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: once for the count of requests, twice for each request')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: once for the count of requests, twice for each request')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kdsha;help' {
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show where both Regions stand')
            [CompletionResult]::new('failover', 'failover', [CompletionResultType]::ParameterValue, 'Move the pipelines to the other Region')
            [CompletionResult]::new('failback', 'failback', [CompletionResultType]::ParameterValue, 'Move the pipelines back to the primary Region')
            [CompletionResult]::new('verify', 'verify', [CompletionResultType]::ParameterValue, 'Check that this is a sound resting state, from which a failover could run now')
            [CompletionResult]::new('resume', 'resume', [CompletionResultType]::ParameterValue, 'Go on with the unfinished run, or settle what is owed')
            [CompletionResult]::new('runs', 'runs', [CompletionResultType]::ParameterValue, 'List past runs, or show one in full')
            [CompletionResult]::new('report', 'report', [CompletionResultType]::ParameterValue, 'Write a page for the post-mortem of a run')
            [CompletionResult]::new('rehearse', 'rehearse', [CompletionResultType]::ParameterValue, 'Play the whole procedure against the built-in sandbox')
            [CompletionResult]::new('sandbox', 'sandbox', [CompletionResultType]::ParameterValue, 'Serve the built-in sandbox to any AWS client')
            [CompletionResult]::new('policy', 'policy', [CompletionResultType]::ParameterValue, 'Print the least IAM policy that this configuration needs')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a completion script for a shell')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'kdsha;help;status' {
            break
        }
        'kdsha;help;failover' {
            break
        }
        'kdsha;help;failback' {
            break
        }
        'kdsha;help;verify' {
            break
        }
        'kdsha;help;resume' {
            break
        }
        'kdsha;help;runs' {
            break
        }
        'kdsha;help;report' {
            break
        }
        'kdsha;help;rehearse' {
            break
        }
        'kdsha;help;sandbox' {
            break
        }
        'kdsha;help;policy' {
            break
        }
        'kdsha;help;completions' {
            break
        }
        'kdsha;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
