
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
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: once for ok checks and answers, twice for each request')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: once for ok checks and answers, twice for each request')
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
            [CompletionResult]::new('init', 'init', [CompletionResultType]::ParameterValue, 'Write kdsha.toml by looking at the account')
            [CompletionResult]::new('rehearse', 'rehearse', [CompletionResultType]::ParameterValue, 'Play the whole procedure against the built-in sandbox')
            [CompletionResult]::new('sandbox', 'sandbox', [CompletionResultType]::ParameterValue, 'Serve the built-in sandbox to any AWS client')
            [CompletionResult]::new('policy', 'policy', [CompletionResultType]::ParameterValue, 'Print the least IAM policy that this configuration needs')
            [CompletionResult]::new('schema', 'schema', [CompletionResultType]::ParameterValue, 'Print the JSON Schema of what a command prints with --output json')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print the manual page of kdsha, or of a command')
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
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Show a live view: look again until interrupted')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: once for ok checks and answers, twice for each request')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: once for ok checks and answers, twice for each request')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kdsha;failover' {
            [CompletionResult]::new('--to', '--to', [CompletionResultType]::ParameterName, 'The Region to move to: the standby of the configuration')
            [CompletionResult]::new('--start-at', '--start-at', [CompletionResultType]::ParameterName, 'Where the standby''s consumer starts, instead of the derived position')
            [CompletionResult]::new('--overlap-buffer', '--overlap-buffer', [CompletionResultType]::ParameterName, 'How far before the derived position the standby''s consumer starts, such as 90s or 5m')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long one wait may take, such as 90s, 30m or 1h30m, instead of the configured time-out')
            [CompletionResult]::new('--accept', '--accept', [CompletionResultType]::ParameterName, 'Go on although this check failed or is unknown; may be given several times')
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'Why the checks named by --accept do not matter now')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read the configuration from this file')
            [CompletionResult]::new('--pipeline', '--pipeline', [CompletionResultType]::ParameterName, 'Act on this pipeline only; may be given several times')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write results for people or for programs')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colours')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use this profile of the AWS configuration')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show the plan, with every call that would be made, and stop')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer the prompts with yes; lifts no guard')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer the prompts with yes; lifts no guard')
            [CompletionResult]::new('--emergency', '--emergency', [CompletionResultType]::ParameterName, 'The old Region may not answer: start the standby first, write down what the old Region owes')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: once for ok checks and answers, twice for each request')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: once for ok checks and answers, twice for each request')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kdsha;failback' {
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long one wait may take, such as 90s, 30m or 1h30m, instead of the configured time-out')
            [CompletionResult]::new('--accept', '--accept', [CompletionResultType]::ParameterName, 'Go on although this check failed or is unknown; may be given several times')
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'Why the checks named by --accept do not matter now')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read the configuration from this file')
            [CompletionResult]::new('--pipeline', '--pipeline', [CompletionResultType]::ParameterName, 'Act on this pipeline only; may be given several times')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write results for people or for programs')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colours')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use this profile of the AWS configuration')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show the plan, with every call that would be made, and stop')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer the prompts with yes; lifts no guard')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer the prompts with yes; lifts no guard')
            [CompletionResult]::new('--skip-stranded', '--skip-stranded', [CompletionResultType]::ParameterName, 'Do not process the records that are stranded in the primary''s stream; they are counted and logged')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: once for ok checks and answers, twice for each request')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: once for ok checks and answers, twice for each request')
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
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: once for ok checks and answers, twice for each request')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: once for ok checks and answers, twice for each request')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kdsha;resume' {
            [CompletionResult]::new('--start-at', '--start-at', [CompletionResultType]::ParameterName, 'Start the standby''s consumer here, where neither the data points nor the run''s mark tell')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read the configuration from this file')
            [CompletionResult]::new('--pipeline', '--pipeline', [CompletionResultType]::ParameterName, 'Act on this pipeline only; may be given several times')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write results for people or for programs')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colours')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use this profile of the AWS configuration')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer the prompts with yes; lifts no guard')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer the prompts with yes; lifts no guard')
            [CompletionResult]::new('--undo', '--undo', [CompletionResultType]::ParameterName, 'Put back what the unfinished run has changed, instead of going on')
            [CompletionResult]::new('--emergency', '--emergency', [CompletionResultType]::ParameterName, 'Go on with an unfinished failover as an emergency: the old Region may not answer')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: once for ok checks and answers, twice for each request')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: once for ok checks and answers, twice for each request')
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
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: once for ok checks and answers, twice for each request')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: once for ok checks and answers, twice for each request')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kdsha;report' {
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Write the page as one HTML file or as Markdown; without it as the name of --out says, else Markdown')
            [CompletionResult]::new('--out', '--out', [CompletionResultType]::ParameterName, 'Write the page to this file instead of to stdout')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read the configuration from this file')
            [CompletionResult]::new('--pipeline', '--pipeline', [CompletionResultType]::ParameterName, 'Act on this pipeline only; may be given several times')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write results for people or for programs')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colours')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use this profile of the AWS configuration')
            [CompletionResult]::new('--no-aws', '--no-aws', [CompletionResultType]::ParameterName, 'Ask AWS nothing: the page has what the journal has')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: once for ok checks and answers, twice for each request')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: once for ok checks and answers, twice for each request')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kdsha;init' {
            [CompletionResult]::new('--primary', '--primary', [CompletionResultType]::ParameterName, 'The Region where the pipelines belong; without it, that of the environment or the profile')
            [CompletionResult]::new('--standby', '--standby', [CompletionResultType]::ParameterName, 'The Region where they go; without it, the one that the functions'' environments name')
            [CompletionResult]::new('--stream', '--stream', [CompletionResultType]::ParameterName, 'This stream only; may be given several times')
            [CompletionResult]::new('--consumer', '--consumer', [CompletionResultType]::ParameterName, 'This function is the consumer, where several may be; may be given several times')
            [CompletionResult]::new('--replicator', '--replicator', [CompletionResultType]::ParameterName, 'This function is the replicator, where several may be; may be given several times')
            [CompletionResult]::new('--producer', '--producer', [CompletionResultType]::ParameterName, 'This function is a producer, though no variable of it names the stream; may be given several times')
            [CompletionResult]::new('--region-variable', '--region-variable', [CompletionResultType]::ParameterName, 'This variable of a producer holds the Region, where several may; may be given several times')
            [CompletionResult]::new('--stream-variable', '--stream-variable', [CompletionResultType]::ParameterName, 'This variable of a producer holds the stream, where several may; may be given several times')
            [CompletionResult]::new('--table', '--table', [CompletionResultType]::ParameterName, 'This table is the sink, where several may be; may be given several times')
            [CompletionResult]::new('--region-attribute', '--region-attribute', [CompletionResultType]::ParameterName, 'The attribute of the tables'' items that names the Region which wrote them')
            [CompletionResult]::new('--standby-mode', '--standby-mode', [CompletionResultType]::ParameterName, 'Whether the standby''s consumers are started at failover or always run; without it, as they are now')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read the configuration from this file')
            [CompletionResult]::new('--pipeline', '--pipeline', [CompletionResultType]::ParameterName, 'Act on this pipeline only; may be given several times')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write results for people or for programs')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colours')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use this profile of the AWS configuration')
            [CompletionResult]::new('--no-replicator', '--no-replicator', [CompletionResultType]::ParameterName, 'Nothing copies the streams to the standby Region')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Write over a file that is there')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Print the file on stdout, and write none')
            [CompletionResult]::new('--stdout', '--stdout', [CompletionResultType]::ParameterName, 'Print the file on stdout, and write none')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: once for ok checks and answers, twice for each request')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: once for ok checks and answers, twice for each request')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kdsha;rehearse' {
            [CompletionResult]::new('--scenario', '--scenario', [CompletionResultType]::ParameterName, 'The story to play; without it, that of the AWS post. `--list` tells them all')
            [CompletionResult]::new('--seed', '--seed', [CompletionResultType]::ParameterName, 'Replay the traffic and the timing of this seed')
            [CompletionResult]::new('--keep', '--keep', [CompletionResultType]::ParameterName, 'Keep the journals in this folder, for `KDSHA_STATE_DIR=DIR kdsha report`')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read the configuration from this file')
            [CompletionResult]::new('--pipeline', '--pipeline', [CompletionResultType]::ParameterName, 'Act on this pipeline only; may be given several times')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write results for people or for programs')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colours')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use this profile of the AWS configuration')
            [CompletionResult]::new('--list', '--list', [CompletionResultType]::ParameterName, 'List the stories and stop')
            [CompletionResult]::new('--interactive', '--interactive', [CompletionResultType]::ParameterName, 'Play it yourself: type the commands, notice what goes wrong meanwhile, and get a score')
            [CompletionResult]::new('--calm', '--calm', [CompletionResultType]::ParameterName, 'Played by hand, and nobody interferes')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Answer the prompts with yes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer the prompts with yes')
            [CompletionResult]::new('--real-time', '--real-time', [CompletionResultType]::ParameterName, 'Let simulated time pass as real time does')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: once for ok checks and answers, twice for each request')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: once for ok checks and answers, twice for each request')
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
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: once for ok checks and answers, twice for each request')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: once for ok checks and answers, twice for each request')
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
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: once for ok checks and answers, twice for each request')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: once for ok checks and answers, twice for each request')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kdsha;schema' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read the configuration from this file')
            [CompletionResult]::new('--pipeline', '--pipeline', [CompletionResultType]::ParameterName, 'Act on this pipeline only; may be given several times')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write results for people or for programs')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colours')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use this profile of the AWS configuration')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: once for ok checks and answers, twice for each request')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: once for ok checks and answers, twice for each request')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kdsha;man' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read the configuration from this file')
            [CompletionResult]::new('--pipeline', '--pipeline', [CompletionResultType]::ParameterName, 'Act on this pipeline only; may be given several times')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write results for people or for programs')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colours')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use this profile of the AWS configuration')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: once for ok checks and answers, twice for each request')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: once for ok checks and answers, twice for each request')
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
            [CompletionResult]::new('--dynamic', '--dynamic', [CompletionResultType]::ParameterName, 'Complete Regions, pipelines and runs too')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Leave out progress; results, questions, warnings and errors remain')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: once for ok checks and answers, twice for each request')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: once for ok checks and answers, twice for each request')
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
            [CompletionResult]::new('init', 'init', [CompletionResultType]::ParameterValue, 'Write kdsha.toml by looking at the account')
            [CompletionResult]::new('rehearse', 'rehearse', [CompletionResultType]::ParameterValue, 'Play the whole procedure against the built-in sandbox')
            [CompletionResult]::new('sandbox', 'sandbox', [CompletionResultType]::ParameterValue, 'Serve the built-in sandbox to any AWS client')
            [CompletionResult]::new('policy', 'policy', [CompletionResultType]::ParameterValue, 'Print the least IAM policy that this configuration needs')
            [CompletionResult]::new('schema', 'schema', [CompletionResultType]::ParameterValue, 'Print the JSON Schema of what a command prints with --output json')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print the manual page of kdsha, or of a command')
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
        'kdsha;help;init' {
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
        'kdsha;help;schema' {
            break
        }
        'kdsha;help;man' {
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
