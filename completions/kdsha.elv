
use builtin;
use str;

set edit:completion:arg-completer[kdsha] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'kdsha'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'kdsha'= {
            cand --config 'Read the configuration from this file'
            cand --pipeline 'Act on this pipeline only; may be given several times'
            cand --output 'Write results for people or for programs'
            cand --color 'Use colours'
            cand --profile 'Use this profile of the AWS configuration'
            cand -q 'Leave out progress; results, questions, warnings and errors remain'
            cand --quiet 'Leave out progress; results, questions, warnings and errors remain'
            cand -v 'Say more: once for ok checks and answers, twice for each request'
            cand --verbose 'Say more: once for ok checks and answers, twice for each request'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand status 'Show where both Regions stand'
            cand failover 'Move the pipelines to the other Region'
            cand failback 'Move the pipelines back to the primary Region'
            cand verify 'Check that this is a sound resting state, from which a failover could run now'
            cand resume 'Go on with the unfinished run, or settle what is owed'
            cand runs 'List past runs, or show one in full'
            cand report 'Write a page for the post-mortem of a run'
            cand init 'Write kdsha.toml by looking at the account'
            cand rehearse 'Play the whole procedure against the built-in sandbox'
            cand sandbox 'Serve the built-in sandbox to any AWS client'
            cand policy 'Print the least IAM policy that this configuration needs'
            cand schema 'Print the JSON Schema of what a command prints with --output json'
            cand man 'Print the manual page of kdsha, or of a command'
            cand completions 'Print a completion script for a shell'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'kdsha;status'= {
            cand --config 'Read the configuration from this file'
            cand --pipeline 'Act on this pipeline only; may be given several times'
            cand --output 'Write results for people or for programs'
            cand --color 'Use colours'
            cand --profile 'Use this profile of the AWS configuration'
            cand --watch 'Show a live view: look again until interrupted'
            cand -q 'Leave out progress; results, questions, warnings and errors remain'
            cand --quiet 'Leave out progress; results, questions, warnings and errors remain'
            cand -v 'Say more: once for ok checks and answers, twice for each request'
            cand --verbose 'Say more: once for ok checks and answers, twice for each request'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'kdsha;failover'= {
            cand --to 'The Region to move to: the standby of the configuration'
            cand --start-at 'Where the standby''s consumer starts, instead of the derived position'
            cand --overlap-buffer 'How far before the derived position the standby''s consumer starts, such as 90s or 5m'
            cand --timeout 'How long one wait may take, such as 90s, 30m or 1h30m, instead of the configured time-out'
            cand --accept 'Go on although this check failed or is unknown; may be given several times'
            cand --reason 'Why the checks named by --accept do not matter now'
            cand --config 'Read the configuration from this file'
            cand --pipeline 'Act on this pipeline only; may be given several times'
            cand --output 'Write results for people or for programs'
            cand --color 'Use colours'
            cand --profile 'Use this profile of the AWS configuration'
            cand --dry-run 'Show the plan, with every call that would be made, and stop'
            cand -y 'Answer the prompts with yes; lifts no guard'
            cand --yes 'Answer the prompts with yes; lifts no guard'
            cand --emergency 'The old Region may not answer: start the standby first, write down what the old Region owes'
            cand -q 'Leave out progress; results, questions, warnings and errors remain'
            cand --quiet 'Leave out progress; results, questions, warnings and errors remain'
            cand -v 'Say more: once for ok checks and answers, twice for each request'
            cand --verbose 'Say more: once for ok checks and answers, twice for each request'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'kdsha;failback'= {
            cand --timeout 'How long one wait may take, such as 90s, 30m or 1h30m, instead of the configured time-out'
            cand --accept 'Go on although this check failed or is unknown; may be given several times'
            cand --reason 'Why the checks named by --accept do not matter now'
            cand --config 'Read the configuration from this file'
            cand --pipeline 'Act on this pipeline only; may be given several times'
            cand --output 'Write results for people or for programs'
            cand --color 'Use colours'
            cand --profile 'Use this profile of the AWS configuration'
            cand --dry-run 'Show the plan, with every call that would be made, and stop'
            cand -y 'Answer the prompts with yes; lifts no guard'
            cand --yes 'Answer the prompts with yes; lifts no guard'
            cand --skip-stranded 'Do not process the records that are stranded in the primary''s stream; they are counted and logged'
            cand -q 'Leave out progress; results, questions, warnings and errors remain'
            cand --quiet 'Leave out progress; results, questions, warnings and errors remain'
            cand -v 'Say more: once for ok checks and answers, twice for each request'
            cand --verbose 'Say more: once for ok checks and answers, twice for each request'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'kdsha;verify'= {
            cand --config 'Read the configuration from this file'
            cand --pipeline 'Act on this pipeline only; may be given several times'
            cand --output 'Write results for people or for programs'
            cand --color 'Use colours'
            cand --profile 'Use this profile of the AWS configuration'
            cand -q 'Leave out progress; results, questions, warnings and errors remain'
            cand --quiet 'Leave out progress; results, questions, warnings and errors remain'
            cand -v 'Say more: once for ok checks and answers, twice for each request'
            cand --verbose 'Say more: once for ok checks and answers, twice for each request'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'kdsha;resume'= {
            cand --start-at 'Start the standby''s consumer here, where neither the data points nor the run''s mark tell'
            cand --config 'Read the configuration from this file'
            cand --pipeline 'Act on this pipeline only; may be given several times'
            cand --output 'Write results for people or for programs'
            cand --color 'Use colours'
            cand --profile 'Use this profile of the AWS configuration'
            cand -y 'Answer the prompts with yes; lifts no guard'
            cand --yes 'Answer the prompts with yes; lifts no guard'
            cand --undo 'Put back what the unfinished run has changed, instead of going on'
            cand --emergency 'Go on with an unfinished failover as an emergency: the old Region may not answer'
            cand -q 'Leave out progress; results, questions, warnings and errors remain'
            cand --quiet 'Leave out progress; results, questions, warnings and errors remain'
            cand -v 'Say more: once for ok checks and answers, twice for each request'
            cand --verbose 'Say more: once for ok checks and answers, twice for each request'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'kdsha;runs'= {
            cand --config 'Read the configuration from this file'
            cand --pipeline 'Act on this pipeline only; may be given several times'
            cand --output 'Write results for people or for programs'
            cand --color 'Use colours'
            cand --profile 'Use this profile of the AWS configuration'
            cand -q 'Leave out progress; results, questions, warnings and errors remain'
            cand --quiet 'Leave out progress; results, questions, warnings and errors remain'
            cand -v 'Say more: once for ok checks and answers, twice for each request'
            cand --verbose 'Say more: once for ok checks and answers, twice for each request'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'kdsha;report'= {
            cand --format 'Write the page as one HTML file or as Markdown; without it as the name of --out says, else Markdown'
            cand --out 'Write the page to this file instead of to stdout'
            cand --config 'Read the configuration from this file'
            cand --pipeline 'Act on this pipeline only; may be given several times'
            cand --output 'Write results for people or for programs'
            cand --color 'Use colours'
            cand --profile 'Use this profile of the AWS configuration'
            cand --no-aws 'Ask AWS nothing: the page has what the journal has'
            cand -q 'Leave out progress; results, questions, warnings and errors remain'
            cand --quiet 'Leave out progress; results, questions, warnings and errors remain'
            cand -v 'Say more: once for ok checks and answers, twice for each request'
            cand --verbose 'Say more: once for ok checks and answers, twice for each request'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'kdsha;init'= {
            cand --primary 'The Region where the pipelines belong; without it, that of the environment or the profile'
            cand --standby 'The Region where they go; without it, the one that the functions'' environments name'
            cand --stream 'This stream only; may be given several times'
            cand --consumer 'This function is the consumer, where several may be; may be given several times'
            cand --replicator 'This function is the replicator, where several may be; may be given several times'
            cand --producer 'This function is a producer, though no variable of it names the stream; may be given several times'
            cand --region-variable 'This variable of a producer holds the Region, where several may; may be given several times'
            cand --stream-variable 'This variable of a producer holds the stream, where several may; may be given several times'
            cand --table 'This table is the sink, where several may be; may be given several times'
            cand --region-attribute 'The attribute of the tables'' items that names the Region which wrote them'
            cand --standby-mode 'Whether the standby''s consumers are started at failover or always run; without it, as they are now'
            cand --config 'Read the configuration from this file'
            cand --pipeline 'Act on this pipeline only; may be given several times'
            cand --output 'Write results for people or for programs'
            cand --color 'Use colours'
            cand --profile 'Use this profile of the AWS configuration'
            cand --no-replicator 'Nothing copies the streams to the standby Region'
            cand --force 'Write over a file that is there'
            cand --dry-run 'Print the file on stdout, and write none'
            cand --stdout 'Print the file on stdout, and write none'
            cand -q 'Leave out progress; results, questions, warnings and errors remain'
            cand --quiet 'Leave out progress; results, questions, warnings and errors remain'
            cand -v 'Say more: once for ok checks and answers, twice for each request'
            cand --verbose 'Say more: once for ok checks and answers, twice for each request'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'kdsha;rehearse'= {
            cand --scenario 'The story to play; without it, that of the AWS post. `--list` tells them all'
            cand --seed 'Replay the traffic and the timing of this seed'
            cand --keep 'Keep the journals in this folder, for `KDSHA_STATE_DIR=DIR kdsha report`'
            cand --config 'Read the configuration from this file'
            cand --pipeline 'Act on this pipeline only; may be given several times'
            cand --output 'Write results for people or for programs'
            cand --color 'Use colours'
            cand --profile 'Use this profile of the AWS configuration'
            cand --list 'List the stories and stop'
            cand --interactive 'Play it yourself: type the commands, notice what goes wrong meanwhile, and get a score'
            cand --calm 'Played by hand, and nobody interferes'
            cand -y 'Answer the prompts with yes'
            cand --yes 'Answer the prompts with yes'
            cand --real-time 'Let simulated time pass as real time does'
            cand -q 'Leave out progress; results, questions, warnings and errors remain'
            cand --quiet 'Leave out progress; results, questions, warnings and errors remain'
            cand -v 'Say more: once for ok checks and answers, twice for each request'
            cand --verbose 'Say more: once for ok checks and answers, twice for each request'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'kdsha;sandbox'= {
            cand --listen 'The loopback address to serve on; port 0 takes a free one'
            cand --speed 'How many simulated seconds pass in a second, 1 to 3600'
            cand --seed 'Replay the traffic and the timing of this seed'
            cand --config 'Read the configuration from this file'
            cand --pipeline 'Act on this pipeline only; may be given several times'
            cand --output 'Write results for people or for programs'
            cand --color 'Use colours'
            cand --profile 'Use this profile of the AWS configuration'
            cand --empty 'Begin with an empty account instead of the post''s pipeline'
            cand -q 'Leave out progress; results, questions, warnings and errors remain'
            cand --quiet 'Leave out progress; results, questions, warnings and errors remain'
            cand -v 'Say more: once for ok checks and answers, twice for each request'
            cand --verbose 'Say more: once for ok checks and answers, twice for each request'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'kdsha;policy'= {
            cand --config 'Read the configuration from this file'
            cand --pipeline 'Act on this pipeline only; may be given several times'
            cand --output 'Write results for people or for programs'
            cand --color 'Use colours'
            cand --profile 'Use this profile of the AWS configuration'
            cand -q 'Leave out progress; results, questions, warnings and errors remain'
            cand --quiet 'Leave out progress; results, questions, warnings and errors remain'
            cand -v 'Say more: once for ok checks and answers, twice for each request'
            cand --verbose 'Say more: once for ok checks and answers, twice for each request'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'kdsha;schema'= {
            cand --config 'Read the configuration from this file'
            cand --pipeline 'Act on this pipeline only; may be given several times'
            cand --output 'Write results for people or for programs'
            cand --color 'Use colours'
            cand --profile 'Use this profile of the AWS configuration'
            cand -q 'Leave out progress; results, questions, warnings and errors remain'
            cand --quiet 'Leave out progress; results, questions, warnings and errors remain'
            cand -v 'Say more: once for ok checks and answers, twice for each request'
            cand --verbose 'Say more: once for ok checks and answers, twice for each request'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'kdsha;man'= {
            cand --config 'Read the configuration from this file'
            cand --pipeline 'Act on this pipeline only; may be given several times'
            cand --output 'Write results for people or for programs'
            cand --color 'Use colours'
            cand --profile 'Use this profile of the AWS configuration'
            cand -q 'Leave out progress; results, questions, warnings and errors remain'
            cand --quiet 'Leave out progress; results, questions, warnings and errors remain'
            cand -v 'Say more: once for ok checks and answers, twice for each request'
            cand --verbose 'Say more: once for ok checks and answers, twice for each request'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'kdsha;completions'= {
            cand --config 'Read the configuration from this file'
            cand --pipeline 'Act on this pipeline only; may be given several times'
            cand --output 'Write results for people or for programs'
            cand --color 'Use colours'
            cand --profile 'Use this profile of the AWS configuration'
            cand --dynamic 'Complete Regions, pipelines and runs too'
            cand -q 'Leave out progress; results, questions, warnings and errors remain'
            cand --quiet 'Leave out progress; results, questions, warnings and errors remain'
            cand -v 'Say more: once for ok checks and answers, twice for each request'
            cand --verbose 'Say more: once for ok checks and answers, twice for each request'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'kdsha;help'= {
            cand status 'Show where both Regions stand'
            cand failover 'Move the pipelines to the other Region'
            cand failback 'Move the pipelines back to the primary Region'
            cand verify 'Check that this is a sound resting state, from which a failover could run now'
            cand resume 'Go on with the unfinished run, or settle what is owed'
            cand runs 'List past runs, or show one in full'
            cand report 'Write a page for the post-mortem of a run'
            cand init 'Write kdsha.toml by looking at the account'
            cand rehearse 'Play the whole procedure against the built-in sandbox'
            cand sandbox 'Serve the built-in sandbox to any AWS client'
            cand policy 'Print the least IAM policy that this configuration needs'
            cand schema 'Print the JSON Schema of what a command prints with --output json'
            cand man 'Print the manual page of kdsha, or of a command'
            cand completions 'Print a completion script for a shell'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'kdsha;help;status'= {
        }
        &'kdsha;help;failover'= {
        }
        &'kdsha;help;failback'= {
        }
        &'kdsha;help;verify'= {
        }
        &'kdsha;help;resume'= {
        }
        &'kdsha;help;runs'= {
        }
        &'kdsha;help;report'= {
        }
        &'kdsha;help;init'= {
        }
        &'kdsha;help;rehearse'= {
        }
        &'kdsha;help;sandbox'= {
        }
        &'kdsha;help;policy'= {
        }
        &'kdsha;help;schema'= {
        }
        &'kdsha;help;man'= {
        }
        &'kdsha;help;completions'= {
        }
        &'kdsha;help;help'= {
        }
    ]
    $completions[$command]
}
