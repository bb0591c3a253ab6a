# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_kdsha_global_optspecs
    string join \n config= pipeline= output= color= profile= q/quiet v/verbose h/help V/version
end

function __fish_kdsha_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_kdsha_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_kdsha_using_subcommand
    set -l cmd (__fish_kdsha_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c kdsha -n "__fish_kdsha_needs_command" -l config -d 'Read the configuration from this file' -r -F
complete -c kdsha -n "__fish_kdsha_needs_command" -l pipeline -d 'Act on this pipeline only; may be given several times' -r
complete -c kdsha -n "__fish_kdsha_needs_command" -l output -d 'Write results for people or for programs' -r -f -a "human\t'Tables and sentences'
json\t'JSON with a schema'"
complete -c kdsha -n "__fish_kdsha_needs_command" -l color -d 'Use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c kdsha -n "__fish_kdsha_needs_command" -l profile -d 'Use this profile of the AWS configuration' -r
complete -c kdsha -n "__fish_kdsha_needs_command" -s q -l quiet -d 'Leave out progress; results, questions, warnings and errors remain'
complete -c kdsha -n "__fish_kdsha_needs_command" -s v -l verbose -d 'Say more: once for ok checks and answers, twice for each request'
complete -c kdsha -n "__fish_kdsha_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kdsha -n "__fish_kdsha_needs_command" -s V -l version -d 'Print version'
complete -c kdsha -n "__fish_kdsha_needs_command" -f -a "status" -d 'Show where both Regions stand'
complete -c kdsha -n "__fish_kdsha_needs_command" -f -a "failover" -d 'Move the pipelines to the other Region'
complete -c kdsha -n "__fish_kdsha_needs_command" -f -a "failback" -d 'Move the pipelines back to the primary Region'
complete -c kdsha -n "__fish_kdsha_needs_command" -f -a "verify" -d 'Check that this is a sound resting state, from which a failover could run now'
complete -c kdsha -n "__fish_kdsha_needs_command" -f -a "resume" -d 'Go on with the unfinished run, or settle what is owed'
complete -c kdsha -n "__fish_kdsha_needs_command" -f -a "runs" -d 'List past runs, or show one in full'
complete -c kdsha -n "__fish_kdsha_needs_command" -f -a "report" -d 'Write a page for the post-mortem of a run'
complete -c kdsha -n "__fish_kdsha_needs_command" -f -a "init" -d 'Write kdsha.toml by looking at the account'
complete -c kdsha -n "__fish_kdsha_needs_command" -f -a "rehearse" -d 'Play the whole procedure against the built-in sandbox'
complete -c kdsha -n "__fish_kdsha_needs_command" -f -a "sandbox" -d 'Serve the built-in sandbox to any AWS client'
complete -c kdsha -n "__fish_kdsha_needs_command" -f -a "policy" -d 'Print the least IAM policy that this configuration needs'
complete -c kdsha -n "__fish_kdsha_needs_command" -f -a "schema" -d 'Print the JSON Schema of what a command prints with --output json'
complete -c kdsha -n "__fish_kdsha_needs_command" -f -a "man" -d 'Print the manual page of kdsha, or of a command'
complete -c kdsha -n "__fish_kdsha_needs_command" -f -a "completions" -d 'Print a completion script for a shell'
complete -c kdsha -n "__fish_kdsha_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c kdsha -n "__fish_kdsha_using_subcommand status" -l config -d 'Read the configuration from this file' -r -F
complete -c kdsha -n "__fish_kdsha_using_subcommand status" -l pipeline -d 'Act on this pipeline only; may be given several times' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand status" -l output -d 'Write results for people or for programs' -r -f -a "human\t'Tables and sentences'
json\t'JSON with a schema'"
complete -c kdsha -n "__fish_kdsha_using_subcommand status" -l color -d 'Use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c kdsha -n "__fish_kdsha_using_subcommand status" -l profile -d 'Use this profile of the AWS configuration' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand status" -l watch -d 'Show a live view: look again until interrupted'
complete -c kdsha -n "__fish_kdsha_using_subcommand status" -s q -l quiet -d 'Leave out progress; results, questions, warnings and errors remain'
complete -c kdsha -n "__fish_kdsha_using_subcommand status" -s v -l verbose -d 'Say more: once for ok checks and answers, twice for each request'
complete -c kdsha -n "__fish_kdsha_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kdsha -n "__fish_kdsha_using_subcommand failover" -l to -d 'The Region to move to: the standby of the configuration' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand failover" -l start-at -d 'Where the standby\'s consumer starts, instead of the derived position' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand failover" -l overlap-buffer -d 'How far before the derived position the standby\'s consumer starts, such as 90s or 5m' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand failover" -l timeout -d 'How long one wait may take, such as 90s, 30m or 1h30m, instead of the configured time-out' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand failover" -l accept -d 'Go on although this check failed or is unknown; may be given several times' -r -f -a "clock\t'This machine\'s clock is off'
concurrency\t'The standby\'s account may have too few concurrent executions left'
consumer_lag\t'A consumer processes nothing, or may not: the run would wait for it, or move to it'
credentials\t'The credentials may expire before the run ends'
health\t'The Region to move to fails too'
mapping_settings\t'A new mapping would not be set as the one that it stands for'
other_readers\t'Something else reads the stream too'
producer_alias\t'Nobody invokes a producer through an alias of its own'
reader_function\t'A function that reads may not be able to'
record_age\t'A mapping gives records up that are as old as its start'
replicator_lag\t'The copy is further behind than the RPO'
sink\t'The table does not say where its items come from'
start_at\t'--start-at lies behind records that may be unprocessed: they would be skipped'
streams_match\t'The standby\'s stream is smaller, or set otherwise'"
complete -c kdsha -n "__fish_kdsha_using_subcommand failover" -l reason -d 'Why the checks named by --accept do not matter now' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand failover" -l config -d 'Read the configuration from this file' -r -F
complete -c kdsha -n "__fish_kdsha_using_subcommand failover" -l pipeline -d 'Act on this pipeline only; may be given several times' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand failover" -l output -d 'Write results for people or for programs' -r -f -a "human\t'Tables and sentences'
json\t'JSON with a schema'"
complete -c kdsha -n "__fish_kdsha_using_subcommand failover" -l color -d 'Use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c kdsha -n "__fish_kdsha_using_subcommand failover" -l profile -d 'Use this profile of the AWS configuration' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand failover" -l dry-run -d 'Show the plan, with every call that would be made, and stop'
complete -c kdsha -n "__fish_kdsha_using_subcommand failover" -s y -l yes -d 'Answer the prompts with yes; lifts no guard'
complete -c kdsha -n "__fish_kdsha_using_subcommand failover" -l emergency -d 'The old Region may not answer: start the standby first, write down what the old Region owes'
complete -c kdsha -n "__fish_kdsha_using_subcommand failover" -s q -l quiet -d 'Leave out progress; results, questions, warnings and errors remain'
complete -c kdsha -n "__fish_kdsha_using_subcommand failover" -s v -l verbose -d 'Say more: once for ok checks and answers, twice for each request'
complete -c kdsha -n "__fish_kdsha_using_subcommand failover" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kdsha -n "__fish_kdsha_using_subcommand failback" -l timeout -d 'How long one wait may take, such as 90s, 30m or 1h30m, instead of the configured time-out' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand failback" -l accept -d 'Go on although this check failed or is unknown; may be given several times' -r -f -a "clock\t'This machine\'s clock is off'
concurrency\t'The standby\'s account may have too few concurrent executions left'
consumer_lag\t'A consumer processes nothing, or may not: the run would wait for it, or move to it'
credentials\t'The credentials may expire before the run ends'
health\t'The Region to move to fails too'
mapping_settings\t'A new mapping would not be set as the one that it stands for'
other_readers\t'Something else reads the stream too'
producer_alias\t'Nobody invokes a producer through an alias of its own'
reader_function\t'A function that reads may not be able to'
record_age\t'A mapping gives records up that are as old as its start'
replicator_lag\t'The copy is further behind than the RPO'
sink\t'The table does not say where its items come from'
start_at\t'--start-at lies behind records that may be unprocessed: they would be skipped'
streams_match\t'The standby\'s stream is smaller, or set otherwise'"
complete -c kdsha -n "__fish_kdsha_using_subcommand failback" -l reason -d 'Why the checks named by --accept do not matter now' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand failback" -l config -d 'Read the configuration from this file' -r -F
complete -c kdsha -n "__fish_kdsha_using_subcommand failback" -l pipeline -d 'Act on this pipeline only; may be given several times' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand failback" -l output -d 'Write results for people or for programs' -r -f -a "human\t'Tables and sentences'
json\t'JSON with a schema'"
complete -c kdsha -n "__fish_kdsha_using_subcommand failback" -l color -d 'Use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c kdsha -n "__fish_kdsha_using_subcommand failback" -l profile -d 'Use this profile of the AWS configuration' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand failback" -l dry-run -d 'Show the plan, with every call that would be made, and stop'
complete -c kdsha -n "__fish_kdsha_using_subcommand failback" -s y -l yes -d 'Answer the prompts with yes; lifts no guard'
complete -c kdsha -n "__fish_kdsha_using_subcommand failback" -l skip-stranded -d 'Do not process the records that are stranded in the primary\'s stream; they are counted and logged'
complete -c kdsha -n "__fish_kdsha_using_subcommand failback" -s q -l quiet -d 'Leave out progress; results, questions, warnings and errors remain'
complete -c kdsha -n "__fish_kdsha_using_subcommand failback" -s v -l verbose -d 'Say more: once for ok checks and answers, twice for each request'
complete -c kdsha -n "__fish_kdsha_using_subcommand failback" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kdsha -n "__fish_kdsha_using_subcommand verify" -l config -d 'Read the configuration from this file' -r -F
complete -c kdsha -n "__fish_kdsha_using_subcommand verify" -l pipeline -d 'Act on this pipeline only; may be given several times' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand verify" -l output -d 'Write results for people or for programs' -r -f -a "human\t'Tables and sentences'
json\t'JSON with a schema'"
complete -c kdsha -n "__fish_kdsha_using_subcommand verify" -l color -d 'Use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c kdsha -n "__fish_kdsha_using_subcommand verify" -l profile -d 'Use this profile of the AWS configuration' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand verify" -s q -l quiet -d 'Leave out progress; results, questions, warnings and errors remain'
complete -c kdsha -n "__fish_kdsha_using_subcommand verify" -s v -l verbose -d 'Say more: once for ok checks and answers, twice for each request'
complete -c kdsha -n "__fish_kdsha_using_subcommand verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kdsha -n "__fish_kdsha_using_subcommand resume" -l start-at -d 'Start the standby\'s consumer here, where neither the data points nor the run\'s mark tell' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand resume" -l config -d 'Read the configuration from this file' -r -F
complete -c kdsha -n "__fish_kdsha_using_subcommand resume" -l pipeline -d 'Act on this pipeline only; may be given several times' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand resume" -l output -d 'Write results for people or for programs' -r -f -a "human\t'Tables and sentences'
json\t'JSON with a schema'"
complete -c kdsha -n "__fish_kdsha_using_subcommand resume" -l color -d 'Use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c kdsha -n "__fish_kdsha_using_subcommand resume" -l profile -d 'Use this profile of the AWS configuration' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand resume" -s y -l yes -d 'Answer the prompts with yes; lifts no guard'
complete -c kdsha -n "__fish_kdsha_using_subcommand resume" -l undo -d 'Put back what the unfinished run has changed, instead of going on'
complete -c kdsha -n "__fish_kdsha_using_subcommand resume" -l emergency -d 'Go on with an unfinished failover as an emergency: the old Region may not answer'
complete -c kdsha -n "__fish_kdsha_using_subcommand resume" -s q -l quiet -d 'Leave out progress; results, questions, warnings and errors remain'
complete -c kdsha -n "__fish_kdsha_using_subcommand resume" -s v -l verbose -d 'Say more: once for ok checks and answers, twice for each request'
complete -c kdsha -n "__fish_kdsha_using_subcommand resume" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kdsha -n "__fish_kdsha_using_subcommand runs" -l config -d 'Read the configuration from this file' -r -F
complete -c kdsha -n "__fish_kdsha_using_subcommand runs" -l pipeline -d 'Act on this pipeline only; may be given several times' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand runs" -l output -d 'Write results for people or for programs' -r -f -a "human\t'Tables and sentences'
json\t'JSON with a schema'"
complete -c kdsha -n "__fish_kdsha_using_subcommand runs" -l color -d 'Use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c kdsha -n "__fish_kdsha_using_subcommand runs" -l profile -d 'Use this profile of the AWS configuration' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand runs" -s q -l quiet -d 'Leave out progress; results, questions, warnings and errors remain'
complete -c kdsha -n "__fish_kdsha_using_subcommand runs" -s v -l verbose -d 'Say more: once for ok checks and answers, twice for each request'
complete -c kdsha -n "__fish_kdsha_using_subcommand runs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kdsha -n "__fish_kdsha_using_subcommand report" -l format -d 'Write the page as one HTML file or as Markdown; without it as the name of --out says, else Markdown' -r -f -a "html\t'One file that needs nothing else; opens in any browser, and prints'
markdown\t'For a wiki or a ticket'"
complete -c kdsha -n "__fish_kdsha_using_subcommand report" -l out -d 'Write the page to this file instead of to stdout' -r -F
complete -c kdsha -n "__fish_kdsha_using_subcommand report" -l config -d 'Read the configuration from this file' -r -F
complete -c kdsha -n "__fish_kdsha_using_subcommand report" -l pipeline -d 'Act on this pipeline only; may be given several times' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand report" -l output -d 'Write results for people or for programs' -r -f -a "human\t'Tables and sentences'
json\t'JSON with a schema'"
complete -c kdsha -n "__fish_kdsha_using_subcommand report" -l color -d 'Use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c kdsha -n "__fish_kdsha_using_subcommand report" -l profile -d 'Use this profile of the AWS configuration' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand report" -l no-aws -d 'Ask AWS nothing: the page has what the journal has'
complete -c kdsha -n "__fish_kdsha_using_subcommand report" -s q -l quiet -d 'Leave out progress; results, questions, warnings and errors remain'
complete -c kdsha -n "__fish_kdsha_using_subcommand report" -s v -l verbose -d 'Say more: once for ok checks and answers, twice for each request'
complete -c kdsha -n "__fish_kdsha_using_subcommand report" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kdsha -n "__fish_kdsha_using_subcommand init" -l primary -d 'The Region where the pipelines belong; without it, that of the environment or the profile' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand init" -l standby -d 'The Region where they go; without it, the one that the functions\' environments name' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand init" -l stream -d 'This stream only; may be given several times' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand init" -l consumer -d 'This function is the consumer, where several may be; may be given several times' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand init" -l replicator -d 'This function is the replicator, where several may be; may be given several times' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand init" -l producer -d 'This function is a producer, though no variable of it names the stream; may be given several times' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand init" -l region-variable -d 'This variable of a producer holds the Region, where several may; may be given several times' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand init" -l stream-variable -d 'This variable of a producer holds the stream, where several may; may be given several times' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand init" -l table -d 'This table is the sink, where several may be; may be given several times' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand init" -l region-attribute -d 'The attribute of the tables\' items that names the Region which wrote them' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand init" -l standby-mode -d 'Whether the standby\'s consumers are started at failover or always run; without it, as they are now' -r -f -a "cold\t'Started at failover'
warm\t'Always runs'"
complete -c kdsha -n "__fish_kdsha_using_subcommand init" -l config -d 'Read the configuration from this file' -r -F
complete -c kdsha -n "__fish_kdsha_using_subcommand init" -l pipeline -d 'Act on this pipeline only; may be given several times' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand init" -l output -d 'Write results for people or for programs' -r -f -a "human\t'Tables and sentences'
json\t'JSON with a schema'"
complete -c kdsha -n "__fish_kdsha_using_subcommand init" -l color -d 'Use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c kdsha -n "__fish_kdsha_using_subcommand init" -l profile -d 'Use this profile of the AWS configuration' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand init" -l no-replicator -d 'Nothing copies the streams to the standby Region'
complete -c kdsha -n "__fish_kdsha_using_subcommand init" -l force -d 'Write over a file that is there'
complete -c kdsha -n "__fish_kdsha_using_subcommand init" -l dry-run -l stdout -d 'Print the file on stdout, and write none'
complete -c kdsha -n "__fish_kdsha_using_subcommand init" -s q -l quiet -d 'Leave out progress; results, questions, warnings and errors remain'
complete -c kdsha -n "__fish_kdsha_using_subcommand init" -s v -l verbose -d 'Say more: once for ok checks and answers, twice for each request'
complete -c kdsha -n "__fish_kdsha_using_subcommand init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kdsha -n "__fish_kdsha_using_subcommand rehearse" -l scenario -d 'The story to play; without it, that of the AWS post. `--list` tells them all' -r -f -a "data-plane-outage\t''
warm-standby\t''
silent-region\t''
control-plane-outage\t''
slow-consumer\t''
replicator-far-behind\t''
colleague-interferes\t''
operator-killed\t''"
complete -c kdsha -n "__fish_kdsha_using_subcommand rehearse" -l seed -d 'Replay the traffic and the timing of this seed' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand rehearse" -l keep -d 'Keep the journals in this folder, for `KDSHA_STATE_DIR=DIR kdsha report`' -r -f -a "(__fish_complete_directories)"
complete -c kdsha -n "__fish_kdsha_using_subcommand rehearse" -l config -d 'Read the configuration from this file' -r -F
complete -c kdsha -n "__fish_kdsha_using_subcommand rehearse" -l pipeline -d 'Act on this pipeline only; may be given several times' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand rehearse" -l output -d 'Write results for people or for programs' -r -f -a "human\t'Tables and sentences'
json\t'JSON with a schema'"
complete -c kdsha -n "__fish_kdsha_using_subcommand rehearse" -l color -d 'Use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c kdsha -n "__fish_kdsha_using_subcommand rehearse" -l profile -d 'Use this profile of the AWS configuration' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand rehearse" -l list -d 'List the stories and stop'
complete -c kdsha -n "__fish_kdsha_using_subcommand rehearse" -l interactive -d 'Play it yourself: type the commands, notice what goes wrong meanwhile, and get a score'
complete -c kdsha -n "__fish_kdsha_using_subcommand rehearse" -l calm -d 'Played by hand, and nobody interferes'
complete -c kdsha -n "__fish_kdsha_using_subcommand rehearse" -s y -l yes -d 'Answer the prompts with yes'
complete -c kdsha -n "__fish_kdsha_using_subcommand rehearse" -l real-time -d 'Let simulated time pass as real time does'
complete -c kdsha -n "__fish_kdsha_using_subcommand rehearse" -s q -l quiet -d 'Leave out progress; results, questions, warnings and errors remain'
complete -c kdsha -n "__fish_kdsha_using_subcommand rehearse" -s v -l verbose -d 'Say more: once for ok checks and answers, twice for each request'
complete -c kdsha -n "__fish_kdsha_using_subcommand rehearse" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kdsha -n "__fish_kdsha_using_subcommand sandbox" -l listen -d 'The loopback address to serve on; port 0 takes a free one' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand sandbox" -l speed -d 'How many simulated seconds pass in a second, 1 to 3600' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand sandbox" -l seed -d 'Replay the traffic and the timing of this seed' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand sandbox" -l config -d 'Read the configuration from this file' -r -F
complete -c kdsha -n "__fish_kdsha_using_subcommand sandbox" -l pipeline -d 'Act on this pipeline only; may be given several times' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand sandbox" -l output -d 'Write results for people or for programs' -r -f -a "human\t'Tables and sentences'
json\t'JSON with a schema'"
complete -c kdsha -n "__fish_kdsha_using_subcommand sandbox" -l color -d 'Use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c kdsha -n "__fish_kdsha_using_subcommand sandbox" -l profile -d 'Use this profile of the AWS configuration' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand sandbox" -l empty -d 'Begin with an empty account instead of the post\'s pipeline'
complete -c kdsha -n "__fish_kdsha_using_subcommand sandbox" -s q -l quiet -d 'Leave out progress; results, questions, warnings and errors remain'
complete -c kdsha -n "__fish_kdsha_using_subcommand sandbox" -s v -l verbose -d 'Say more: once for ok checks and answers, twice for each request'
complete -c kdsha -n "__fish_kdsha_using_subcommand sandbox" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kdsha -n "__fish_kdsha_using_subcommand policy" -l config -d 'Read the configuration from this file' -r -F
complete -c kdsha -n "__fish_kdsha_using_subcommand policy" -l pipeline -d 'Act on this pipeline only; may be given several times' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand policy" -l output -d 'Write results for people or for programs' -r -f -a "human\t'Tables and sentences'
json\t'JSON with a schema'"
complete -c kdsha -n "__fish_kdsha_using_subcommand policy" -l color -d 'Use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c kdsha -n "__fish_kdsha_using_subcommand policy" -l profile -d 'Use this profile of the AWS configuration' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand policy" -s q -l quiet -d 'Leave out progress; results, questions, warnings and errors remain'
complete -c kdsha -n "__fish_kdsha_using_subcommand policy" -s v -l verbose -d 'Say more: once for ok checks and answers, twice for each request'
complete -c kdsha -n "__fish_kdsha_using_subcommand policy" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kdsha -n "__fish_kdsha_using_subcommand schema" -l config -d 'Read the configuration from this file' -r -F
complete -c kdsha -n "__fish_kdsha_using_subcommand schema" -l pipeline -d 'Act on this pipeline only; may be given several times' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand schema" -l output -d 'Write results for people or for programs' -r -f -a "human\t'Tables and sentences'
json\t'JSON with a schema'"
complete -c kdsha -n "__fish_kdsha_using_subcommand schema" -l color -d 'Use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c kdsha -n "__fish_kdsha_using_subcommand schema" -l profile -d 'Use this profile of the AWS configuration' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand schema" -s q -l quiet -d 'Leave out progress; results, questions, warnings and errors remain'
complete -c kdsha -n "__fish_kdsha_using_subcommand schema" -s v -l verbose -d 'Say more: once for ok checks and answers, twice for each request'
complete -c kdsha -n "__fish_kdsha_using_subcommand schema" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kdsha -n "__fish_kdsha_using_subcommand man" -l config -d 'Read the configuration from this file' -r -F
complete -c kdsha -n "__fish_kdsha_using_subcommand man" -l pipeline -d 'Act on this pipeline only; may be given several times' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand man" -l output -d 'Write results for people or for programs' -r -f -a "human\t'Tables and sentences'
json\t'JSON with a schema'"
complete -c kdsha -n "__fish_kdsha_using_subcommand man" -l color -d 'Use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c kdsha -n "__fish_kdsha_using_subcommand man" -l profile -d 'Use this profile of the AWS configuration' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand man" -s q -l quiet -d 'Leave out progress; results, questions, warnings and errors remain'
complete -c kdsha -n "__fish_kdsha_using_subcommand man" -s v -l verbose -d 'Say more: once for ok checks and answers, twice for each request'
complete -c kdsha -n "__fish_kdsha_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kdsha -n "__fish_kdsha_using_subcommand completions" -l config -d 'Read the configuration from this file' -r -F
complete -c kdsha -n "__fish_kdsha_using_subcommand completions" -l pipeline -d 'Act on this pipeline only; may be given several times' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand completions" -l output -d 'Write results for people or for programs' -r -f -a "human\t'Tables and sentences'
json\t'JSON with a schema'"
complete -c kdsha -n "__fish_kdsha_using_subcommand completions" -l color -d 'Use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c kdsha -n "__fish_kdsha_using_subcommand completions" -l profile -d 'Use this profile of the AWS configuration' -r
complete -c kdsha -n "__fish_kdsha_using_subcommand completions" -l dynamic -d 'Complete Regions, pipelines and runs too'
complete -c kdsha -n "__fish_kdsha_using_subcommand completions" -s q -l quiet -d 'Leave out progress; results, questions, warnings and errors remain'
complete -c kdsha -n "__fish_kdsha_using_subcommand completions" -s v -l verbose -d 'Say more: once for ok checks and answers, twice for each request'
complete -c kdsha -n "__fish_kdsha_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kdsha -n "__fish_kdsha_using_subcommand help; and not __fish_seen_subcommand_from status failover failback verify resume runs report init rehearse sandbox policy schema man completions help" -f -a "status" -d 'Show where both Regions stand'
complete -c kdsha -n "__fish_kdsha_using_subcommand help; and not __fish_seen_subcommand_from status failover failback verify resume runs report init rehearse sandbox policy schema man completions help" -f -a "failover" -d 'Move the pipelines to the other Region'
complete -c kdsha -n "__fish_kdsha_using_subcommand help; and not __fish_seen_subcommand_from status failover failback verify resume runs report init rehearse sandbox policy schema man completions help" -f -a "failback" -d 'Move the pipelines back to the primary Region'
complete -c kdsha -n "__fish_kdsha_using_subcommand help; and not __fish_seen_subcommand_from status failover failback verify resume runs report init rehearse sandbox policy schema man completions help" -f -a "verify" -d 'Check that this is a sound resting state, from which a failover could run now'
complete -c kdsha -n "__fish_kdsha_using_subcommand help; and not __fish_seen_subcommand_from status failover failback verify resume runs report init rehearse sandbox policy schema man completions help" -f -a "resume" -d 'Go on with the unfinished run, or settle what is owed'
complete -c kdsha -n "__fish_kdsha_using_subcommand help; and not __fish_seen_subcommand_from status failover failback verify resume runs report init rehearse sandbox policy schema man completions help" -f -a "runs" -d 'List past runs, or show one in full'
complete -c kdsha -n "__fish_kdsha_using_subcommand help; and not __fish_seen_subcommand_from status failover failback verify resume runs report init rehearse sandbox policy schema man completions help" -f -a "report" -d 'Write a page for the post-mortem of a run'
complete -c kdsha -n "__fish_kdsha_using_subcommand help; and not __fish_seen_subcommand_from status failover failback verify resume runs report init rehearse sandbox policy schema man completions help" -f -a "init" -d 'Write kdsha.toml by looking at the account'
complete -c kdsha -n "__fish_kdsha_using_subcommand help; and not __fish_seen_subcommand_from status failover failback verify resume runs report init rehearse sandbox policy schema man completions help" -f -a "rehearse" -d 'Play the whole procedure against the built-in sandbox'
complete -c kdsha -n "__fish_kdsha_using_subcommand help; and not __fish_seen_subcommand_from status failover failback verify resume runs report init rehearse sandbox policy schema man completions help" -f -a "sandbox" -d 'Serve the built-in sandbox to any AWS client'
complete -c kdsha -n "__fish_kdsha_using_subcommand help; and not __fish_seen_subcommand_from status failover failback verify resume runs report init rehearse sandbox policy schema man completions help" -f -a "policy" -d 'Print the least IAM policy that this configuration needs'
complete -c kdsha -n "__fish_kdsha_using_subcommand help; and not __fish_seen_subcommand_from status failover failback verify resume runs report init rehearse sandbox policy schema man completions help" -f -a "schema" -d 'Print the JSON Schema of what a command prints with --output json'
complete -c kdsha -n "__fish_kdsha_using_subcommand help; and not __fish_seen_subcommand_from status failover failback verify resume runs report init rehearse sandbox policy schema man completions help" -f -a "man" -d 'Print the manual page of kdsha, or of a command'
complete -c kdsha -n "__fish_kdsha_using_subcommand help; and not __fish_seen_subcommand_from status failover failback verify resume runs report init rehearse sandbox policy schema man completions help" -f -a "completions" -d 'Print a completion script for a shell'
complete -c kdsha -n "__fish_kdsha_using_subcommand help; and not __fish_seen_subcommand_from status failover failback verify resume runs report init rehearse sandbox policy schema man completions help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
